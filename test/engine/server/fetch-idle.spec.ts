import { queueKeys } from '../../../lib/redis/keys.js';
import { startRedis } from '../../support/redis-server.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('an idle server', () => {
  it('finds a task that a program without signals has stored at once, without polling', async () => {
    const test = ServerUnderTest.open();
    await test.start(() => {}, { taskCheckInterval: '1h' });
    const first = await storeSilently(test, 'first');
    await test.untilState(first, 'gone');
    // By now it has found the queue empty once and waits.
    const second = await storeSilently(test, 'second');
    await test.untilState(second, 'gone');
    await test.close();
  });

  it('S-35 polls a queue that it cannot wait on between half of the interval and all of it after the last poll', async () => {
    const test = ServerUnderTest.open({ time: 'virtual' });
    await test.start(() => {}, { blockingConnections: 0, taskCheckInterval: '10s' });
    await test.time.settle();
    // Stored behind everybody's back, so that only a look at the queue can find it.
    const id = await storeSilently(test);
    await test.time.advance('4900ms');
    expect(await test.stateOf(id)).toBe('pending');
    await test.time.advance('5200ms');
    await test.untilHappened('completed');
    await test.close();
  });

  it('is woken by our own clients for queues that it cannot wait on', async () => {
    const test = ServerUnderTest.open();
    await test.start(() => {}, { blockingConnections: 0, taskCheckInterval: '1h' });
    await test.untilSubscribed();
    await test.enqueue();
    await test.untilHappened('completed');
    await test.close();
  });

  it('finds a task in one of many queues that it cannot wait on, and fetches from no other', async () => {
    const redis = await startRedis();
    const test = ServerUnderTest.open({ url: redis.url, time: 'virtual' });
    const others = Array.from({ length: 250 }, () => test.anotherQueue());
    const queues = Object.fromEntries([test.queue, ...others].map((queue) => [queue, 1]));
    await test.start(() => {}, { queues, blockingConnections: 0, concurrency: 300 });
    await test.time.advance('5s');
    const before = await commandsOf(test);
    await test.time.advance('60s');
    const idle = await commandsOf(test);
    expect(idle.exists - before.exists).toBeGreaterThan(3 * 60);
    // Maintenance takes about 1.2 a second and queue, and looking for tasks nothing worth mentioning.
    expect(idle.all - before.all).toBeLessThan(251 * 60 * 1.4);

    const id = await storeSilently(test);
    await test.time.advance('1s');
    await test.untilHappened('completed');
    expect(test.happened('completed')).toMatchObject([{ task: { id } }]);
    expect((await commandsOf(test)).exists - idle.exists).toBeLessThan(100 + 251);
    await test.close();
    await redis.stop();
  });

  it('costs Redis less than two commands a second, and its heartbeat alone where another one maintains the queue', async () => {
    const redis = await startRedis();
    const test = ServerUnderTest.open({ url: redis.url, time: 'virtual' });
    const monitor = await test.redis.monitor();
    let carriedOut = 0;
    // Those inside of scripts are counted as well, as Redis does; a virtual clock asks for an answer at each step.
    monitor.on('monitor', (_time: string, [command = '']: readonly string[]) => {
      if (command.toLowerCase() !== 'ping') carriedOut += 1;
    });
    const perSecond = async (): Promise<number> => {
      await test.time.advance('30s');
      carriedOut = 0;
      await test.time.advance('240s');
      return carriedOut / 240;
    };
    await test.start(() => {});
    const byOne = await perSecond();
    expect(byOne).toBeGreaterThan(0.5);
    expect(byOne).toBeLessThan(2);
    for (let more = 0; more < 4; more += 1) await test.start(() => {});
    await test.untilSubscribed();
    expect((await perSecond()) - byOne).toBeLessThan(4 * 0.7);
    monitor.disconnect();
    await test.close();
    await redis.stop();
  });
});

/** How many commands Redis has carried out. */
async function commandsOf(test: ServerUnderTest): Promise<{ readonly all: number; readonly exists: number }> {
  const all = /total_commands_processed:(\d+)/.exec(await test.redis.info('stats'))?.[1];
  const exists = /cmdstat_exists:calls=(\d+)/.exec(await test.redis.info('commandstats'))?.[1];
  return { all: Number(all), exists: Number(exists ?? 0) };
}

/** Stores a task as a program would that publishes nothing. */
async function storeSilently(test: ServerUnderTest, name = 'silent'): Promise<string> {
  const id = await test.enqueue({ id: `${name}-${test.queue}`, queue: test.anotherQueue() });
  const from = (await test.redis.keys(`asynq:{server-*}:t:${id}`))[0] ?? '';
  const keys = queueKeys(test.queue);
  await test.redis.rename(from, `${keys.taskPrefix}${id}`);
  await test.redis.lpush(keys.pending, id);
  return id;
}
