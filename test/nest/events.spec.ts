import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  type AsynqClient,
  AsynqModule,
  getClientToken,
  OnTaskEvent,
  SkipRetryError,
  type Task,
  type TaskEvents,
  TaskHandler,
} from '../../lib/index.js';
import { until } from '../support/until.js';
import { aQueue, cleanUp, nextEvent, options, resultOf, startApp } from './support.js';

afterEach(cleanUp);

const registered = () => AsynqModule.forRoot(options(aQueue()));

@Injectable()
class Work {
  @TaskHandler('work')
  work(task: Task) {
    if (task.payload === 'fail') throw new SkipRetryError('as told');
  }
}

describe('@OnTaskEvent', () => {
  it('calls a method with the outcome of a task', async () => {
    @Injectable()
    class Alarms {
      readonly told: string[] = [];

      @OnTaskEvent('completed')
      completed({ task }: TaskEvents['completed']) {
        this.told.push(`completed ${task.type}`);
      }

      @OnTaskEvent('archived')
      @OnTaskEvent('retry')
      failed({ task, error }: { readonly task: { readonly type: string }; readonly error: unknown }) {
        this.told.push(`failed ${task.type}: ${(error as Error).message}`);
      }

      @OnTaskEvent('completed', { enabled: false })
      never() {
        this.told.push('never');
      }
    }
    const test = await startApp({ imports: [registered()], providers: [Work, Alarms] });
    const { told } = test.app.get(Alarms);
    await resultOf(test, 'work');
    await test.client.enqueue('work', 'fail');
    await until('both are told', () => told.length === 2);
    expect(told).toEqual(['completed work', 'failed work: as told']);
  });

  it('listens to the instance that it names', async () => {
    @Injectable()
    class Billed {
      readonly told: string[] = [];
      @TaskHandler('work', { instance: 'billing' })
      work() {}
      @OnTaskEvent('completed', { instance: 'billing' })
      completed({ task }: TaskEvents['completed']) {
        this.told.push(task.queue);
      }
    }
    const billing = aQueue('billing');
    const imports = [registered(), AsynqModule.forRoot({ ...options(billing), name: 'billing' })];
    const test = await startApp({ imports, providers: [Work, Billed] });
    const { told } = test.app.get(Billed);
    await resultOf(test, 'work');
    await test.app.get<AsynqClient>(getClientToken('billing')).enqueue('work');
    await until('it is told', () => told.length > 0);
    expect(told).toEqual([billing]);
  });

  it('logs what the method throws, synchronously or later, and continues', async () => {
    @Injectable()
    class Broken {
      @OnTaskEvent('completed')
      now() {
        throw new Error('broken now');
      }
      @OnTaskEvent('completed')
      async later() {
        await Promise.resolve();
        throw new Error('broken later');
      }
    }
    const test = await startApp({ imports: [registered()], providers: [Work, Broken] });
    await resultOf(test, 'work');
    await until('both are logged', () => test.log.ofAsynq().filter((line) => line.includes('broken')).length === 2);
    expect(test.log.ofAsynq()).toEqual(
      expect.arrayContaining([
        'Broken.now in AppModule failed on "completed": broken now',
        'Broken.later in AppModule failed on "completed": broken later',
      ]),
    );
  });

  it('creates a request-scoped provider for every event, with the event as REQUEST', async () => {
    const told: unknown[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(@Inject(REQUEST) private readonly event: unknown) {}
      @OnTaskEvent('completed')
      completed(event: TaskEvents['completed']) {
        told.push(this.event === event);
      }
    }
    const test = await startApp({ imports: [registered()], providers: [Work, Scoped] });
    const completed = nextEvent(test, { event: 'completed' });
    await test.client.enqueue('work');
    await completed;
    await until('it is told', () => told.length > 0);
    expect(told).toEqual([true]);
  });

  it.each([
    ['biling', 'completed', `@OnTaskEvent on Wrong.told in AppModule: instance must be one of 'default', got "biling"`],
    ['default', 'complete', `@OnTaskEvent on Wrong.told in AppModule: event must be one of 'started', 'completed'`],
  ])('fails the start for an unknown instance or event: %s, %s', async (instance, event, message) => {
    @Injectable()
    class Wrong {
      @OnTaskEvent(event as 'completed', { instance })
      told() {}
    }
    await expect(startApp({ imports: [registered()], providers: [Wrong] })).rejects.toThrow(message);
  });
});
