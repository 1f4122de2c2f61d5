import { Controller, Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  AsynqModule,
  HandlerConflictError,
  InvalidOptionError,
  type Task,
  TaskAggregator,
  type TaskGroup,
  TaskHandler,
} from '../../lib/index.js';
import { until } from '../support/until.js';
import { rawClient } from '../support/redis-server.js';
import { aQueue, cleanUp, nextEvent, options, startApp, type TestApp } from './support.js';

afterEach(cleanUp);

/** A server that aggregates a group of two at its next look, a second from now at most. */
const registered = (queue = aQueue()) =>
  AsynqModule.forRoot(options(queue, { server: { groupGracePeriod: '1s', groupMaxSize: 2 } }));

/** Puts two tasks into a group and resolves with what became of them. */
async function aggregated(test: TestApp, group: string): Promise<{ readonly size: number; readonly group: string }> {
  const happened = new Promise<{ size: number; group: string }>((resolve, reject) => {
    test.server.events.on('aggregated', resolve);
    test.server.events.on('aggregationFailed', ({ error }) => reject(error));
  });
  await test.client.enqueueMany([
    ['note', { n: 1 }, { group }],
    ['note', { n: 2 }, { group }],
  ]);
  return await happened;
}

const seen: string[] = [];
beforeEach(() => {
  seen.length = 0;
});

@Injectable()
class Names {
  of(group: TaskGroup): string {
    return `digest of ${group.name}`;
  }
}

@Injectable()
class Digests {
  constructor(private readonly names: Names) {}

  @TaskAggregator('notification:')
  async digest(group: TaskGroup<{ n: number }>) {
    await Promise.resolve();
    seen.push(this.names.of(group));
    return ['digest', group.tasks.map((task) => task.payload.n).sort((a, b) => a - b)] as const;
  }

  @TaskAggregator('notification:urgent:')
  urgent() {
    seen.push('urgent');
    return { type: 'digest', payload: 'urgent' };
  }
}

@Injectable()
class DigestTasks {
  readonly payloads: unknown[] = [];

  @TaskHandler('digest')
  handle(task: Task) {
    this.payloads.push(task.payload);
  }
}

describe('@TaskAggregator', () => {
  it('combines the tasks of a group into one, which is handled', async () => {
    const test = await startApp({ imports: [registered()], providers: [Names, Digests, DigestTasks] });
    const completed = nextEvent(test, { event: 'completed', type: 'digest' });
    expect(await aggregated(test, 'notification:ada')).toMatchObject({ size: 2, group: 'notification:ada' });
    await completed;
    expect(seen).toEqual(['digest of notification:ada']);
    expect(test.app.get(DigestTasks).payloads).toEqual([[1, 2]]);
  });

  it('takes the longest prefix that fits the name of the group', async () => {
    const test = await startApp({ imports: [registered()], providers: [Names, Digests] });
    await aggregated(test, 'notification:urgent:ada');
    expect(seen).toEqual(['urgent']);
  });

  it('leaves groups that no pattern fits alone', async () => {
    const queue = aQueue();
    const test = await startApp({ imports: [registered(queue)], providers: [Names, Digests] });
    await test.client.enqueueMany([
      ['note', 1, { group: 'other' }],
      ['note', 2, { group: 'other' }],
    ]);
    await aggregated(test, 'notification:ada');
    const redis = rawClient();
    expect(await redis.zcard(`asynq:{${queue}}:g:other`)).toBe(2);
    redis.disconnect();
  });

  it('starts a server without a handler, which fetches nothing', async () => {
    const queue = aQueue();
    const test = await startApp({ imports: [registered(queue)], providers: [Names, Digests] });
    await aggregated(test, 'notification:ada');
    expect(test.log.ofAsynq()).toContainEqual(
      expect.stringMatching(`; queue ${queue}; no handlers, so no tasks are fetched; 2 aggregators$`),
    );
    const redis = rawClient();
    await until('the combined task waits', async () => (await redis.llen(`asynq:{${queue}}:pending`)) === 1);
    redis.disconnect();
  });

  it('may be restricted to the groups of one queue', async () => {
    const queue = aQueue();
    @Injectable()
    class OfQueue {
      @TaskAggregator({ queue, group: 'n' })
      one() {
        seen.push('of the queue');
        return ['digest'] as const;
      }
      @TaskAggregator({ queue: 'another' })
      @TaskAggregator('n')
      two() {
        seen.push('of every queue');
        return ['digest'] as const;
      }
    }
    await aggregated(await startApp({ imports: [registered(queue)], providers: [OfQueue] }), 'n:1');
    expect(seen).toEqual(['of the queue']);
  });

  it('creates a request-scoped provider for every group, with the group as REQUEST', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(@Inject(REQUEST) private readonly group: TaskGroup) {}
      @TaskAggregator({})
      digest(group: TaskGroup) {
        seen.push(`same: ${String(group === this.group)}`);
        return ['digest'] as const;
      }
    }
    await aggregated(await startApp({ imports: [registered()], providers: [Scoped] }), 'any');
    expect(seen).toEqual(['same: true']);
  });

  it('is skipped when it is disabled by a value or a factory', async () => {
    @Injectable()
    class Off {
      @TaskAggregator('a', { enabled: false })
      @TaskAggregator('a', { enabled: { inject: [Names], useFactory: (names: Names) => names === undefined } })
      digest() {
        return ['digest'] as const;
      }
    }
    const { log } = await startApp({ imports: [registered()], providers: [Names, Off] });
    expect(log.ofAsynq()).toContainEqual(expect.stringContaining('no task handler was found'));
  });
});

describe('the start with aggregators that cannot work', () => {
  const boot = async (declared: new () => object) => await startApp({ imports: [registered()], providers: [declared] });

  it('fails when two match the same groups, naming both', async () => {
    @Injectable()
    class Twice {
      @TaskAggregator('a:')
      one() {
        return ['digest'] as const;
      }
      @TaskAggregator({ group: 'a:' })
      two() {
        return ['digest'] as const;
      }
    }
    const failed = boot(Twice);
    await expect(failed).rejects.toThrow(HandlerConflictError);
    await expect(failed).rejects.toThrow(
      'Groups "a:" have two aggregators: Twice.one in AppModule and Twice.two in AppModule',
    );
  });

  it.each<[string, string, object, string]>([
    ['a blank pattern', ' ', {}, '@TaskAggregator on Wrong.digest in AppModule: the pattern must not be blank'],
    ['no pattern', undefined as never, {}, 'the pattern must be an object'],
    ['an unknown instance', 'a', { instance: 'billing' }, '@TaskAggregator on Wrong.digest in AppModule: instance'],
    ['an unknown option', 'a', { queue: 'x' }, 'queue is not an option'],
  ])('fails for %s', async (_, pattern, given, message) => {
    @Injectable()
    class Wrong {
      @TaskAggregator(pattern, given)
      digest() {
        return ['digest'] as const;
      }
    }
    await expect(boot(Wrong)).rejects.toThrow(message);
  });

  it('fails for a request-scoped controller', async () => {
    @Controller({ scope: Scope.REQUEST })
    class Scoped {
      @TaskAggregator('a')
      digest() {
        return ['digest'] as const;
      }
    }
    const failed = startApp({ imports: [registered()], controllers: [Scoped] });
    await expect(failed).rejects.toThrow(InvalidOptionError);
    await expect(failed).rejects.toThrow('@TaskAggregator on Scoped.digest in AppModule');
  });
});
