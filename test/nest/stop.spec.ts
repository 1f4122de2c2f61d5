import { Global, Injectable, Module, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { decodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import { AsynqClient, AsynqModule, type Task, TaskAbortedError, TaskHandler } from '../../lib/index.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { aGate, until } from '../support/until.js';
import { eventLoopTurns } from '../support/virtual-clock.js';
import { aQueue, cleanUp, options, startApp } from './support.js';

afterEach(cleanUp);

describe('the end of an application', () => {
  it('drains handlers while every provider that they may use is still available', async () => {
    const order: string[] = [];
    class Resource implements OnModuleDestroy {
      isOpen = true;
      constructor(private readonly name: string) {}
      onModuleDestroy() {
        this.isOpen = false;
        order.push(`${this.name} closed`);
      }
      beforeApplicationShutdown() {
        order.push(`${this.name} shuts down`);
      }
    }
    const resource = (name: string) => ({ provide: name, useFactory: () => new Resource(name) });
    @Module({ providers: [resource('child')], exports: ['child'] })
    class ChildModule {}
    @Global()
    @Module({ providers: [resource('global')], exports: ['global'] })
    class GlobalModule {}
    const [running, finish] = [aGate(), aGate()];
    @Injectable()
    class Holding {
      @TaskHandler('hold')
      async hold() {
        running.open();
        await finish.opened;
        // Whatever would be destroyed meanwhile is given the time to be.
        await eventLoopTurns(20);
        order.push('handler done');
      }
    }
    const imports = [GlobalModule, ChildModule, AsynqModule.forRoot(options(aQueue()))];
    const { app, client } = await startApp({ imports, providers: [Holding, resource('root')] });
    await client.enqueue('hold');
    await running.opened;
    const closed = app.close();
    await eventLoopTurns(20);
    finish.open();
    await closed;
    expect(order[0]).toBe('handler done');
    expect(order.filter((line) => line.endsWith('closed')).toSorted()).toEqual([
      'child closed',
      'global closed',
      'root closed',
    ]);
  });

  it('lets handlers enqueue until they end, and providers until their last hook', async () => {
    const queue = aQueue();
    const running = aGate();
    @Injectable()
    class Chained {
      constructor(private readonly asynq: AsynqClient) {}
      @TaskHandler('first')
      async first(task: Task) {
        running.open();
        await new Promise((resolve) => task.signal.addEventListener('abort', resolve));
        await this.asynq.enqueue('from the handler');
      }
    }
    @Injectable()
    class Farewell implements OnApplicationShutdown {
      constructor(private readonly asynq: AsynqClient) {}
      async onApplicationShutdown() {
        await this.asynq.enqueue('from the last hook');
      }
    }
    @Global()
    @Module({ providers: [Farewell] })
    class FarewellModule {}
    const registered = AsynqModule.forRoot(options(queue, { server: { shutdownTimeout: '10ms' } }));
    const { app, client } = await startApp({ imports: [FarewellModule, registered], providers: [Chained] });
    await client.enqueue('first');
    await running.opened;
    await app.close();
    expect(await typesIn(queue)).toEqual(expect.arrayContaining(['from the handler', 'from the last hook']));
  });

  it('aborts tasks that do not end within shutdownTimeout and puts them back at the head of their queue', async () => {
    const queue = aQueue();
    const running = aGate();
    const reason = aGate<unknown>();
    @Injectable()
    class Endless {
      @TaskHandler('endless')
      async endless(task: Task) {
        task.signal.addEventListener('abort', () => reason.open(task.signal.reason));
        running.open();
        await new Promise(() => {});
      }
    }
    const registered = AsynqModule.forRoot(
      options(queue, { server: { concurrency: 1, shutdownTimeout: '10ms', abortGrace: '10ms' } }),
    );
    const { app, client } = await startApp({ imports: [registered], providers: [Endless] });
    const { id } = await client.enqueue('endless');
    await running.opened;
    await client.enqueue('endless');
    await app.close();
    expect(await reason.opened).toBeInstanceOf(TaskAbortedError);
    const redis = rawClient();
    expect(await redis.lindex(`asynq:{${queue}}:pending`, -1)).toBe(id);
    redis.disconnect();
  });

  it('may be requested many times, also concurrently', async () => {
    const running = aGate();
    const finish = aGate();
    let isDone = false;
    @Injectable()
    class Holding {
      @TaskHandler('hold')
      async hold() {
        running.open();
        await finish.opened;
        isDone = true;
      }
    }
    const { app, client } = await startApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Holding] });
    await client.enqueue('hold');
    await running.opened;
    const closes = [app.close(), app.close()];
    finish.open();
    await Promise.all(closes);
    expect(isDone).toBe(true);
    await app.close();
  });

  it('leaves no connection and no listener behind', async () => {
    const server = await startRedis();
    const redis = rawClient(server.url);
    const signals = ['SIGINT', 'SIGTERM', 'SIGTSTP'] as const;
    const before = signals.map((signal) => process.listenerCount(signal));
    @Injectable()
    class Worker {
      @TaskHandler('work')
      work() {}
    }
    const { app, client } = await startApp({
      imports: [AsynqModule.forRoot({ redis: server.url })],
      providers: [Worker],
    });
    await client.enqueue('work');
    await app.close();
    expect(signals.map((signal) => process.listenerCount(signal))).toEqual(before);
    const list = async (): Promise<number> =>
      String(await redis.client('LIST'))
        .trim()
        .split('\n').length;
    await until('only this test is connected', async () => (await list()) === 1);
    redis.disconnect();
    await server.stop();
  });

  it('leaves nothing behind for a module that was compiled and never started', async () => {
    const module = await Test.createTestingModule({ imports: [AsynqModule.forRoot(options(aQueue()))] }).compile();
    expect((await module.get(AsynqClient).enqueue('x')).type).toBe('x');
    await expect(module.close()).resolves.toBeUndefined();
  });
});

it('SIGTSTP stops fetching, and running tasks continue', async () => {
  const queue = aQueue();
  const [running, finish, done] = [aGate(), aGate(), aGate()];
  @Injectable()
  class Holding {
    @TaskHandler('hold')
    async hold() {
      running.open();
      await finish.opened;
      done.open();
    }
  }
  const { app, client, server, log } = await startApp({
    imports: [AsynqModule.forRoot(options(queue))],
    providers: [Holding],
  });
  await client.enqueue('hold');
  await running.opened;
  process.emit('SIGTSTP', 'SIGTSTP');
  await until('it has stopped', () => server.status === 'stopped');
  expect(log.ofAsynq()).toContain('SIGTSTP: stopped fetching tasks; running tasks continue');
  await client.enqueue('hold');
  finish.open();
  await done.opened;
  await app.close();
  expect(await typesIn(queue)).toEqual(['hold']);
});

/** Types of the tasks that wait in a queue. */
async function typesIn(queue: string): Promise<readonly string[]> {
  const redis = rawClient();
  const ids = await redis.lrange(`asynq:{${queue}}:pending`, 0, '-1');
  const records = await Promise.all(ids.map((id) => redis.hgetBuffer(`asynq:{${queue}}:t:${id}`, 'msg')));
  redis.disconnect();
  return records.map((record) => {
    const decoded = decodeTaskMessage(record ?? Buffer.alloc(0));
    return decoded.ok ? decoded.message.type : 'undecodable';
  });
}
