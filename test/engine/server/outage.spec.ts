import { BrokerCommandError } from '../../../lib/model/errors/broker-errors.js';
import { faultyBroker } from '../../support/faulty-broker.js';
import { startRedis } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('an outage of Redis', () => {
  it('S-17, S-99 is survived under load without losing a task, and logged in two lines', async () => {
    const redis = await startRedis({ appendonly: true });
    const test = ServerUnderTest.open({ url: redis.url });
    const runs = new Map<string, number>();
    for (let index = 0; index < 400; index += 1) await test.enqueue();
    await test.start(
      async (task) => {
        runs.set(task.id, (runs.get(task.id) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 2));
      },
      { concurrency: 5 },
    );
    await test.untilHappened('completed', 50);
    await redis.kill();
    await test.untilHappened('brokerDown');
    await redis.start();
    await test.untilHappened('brokerUp');
    await until('all were run', () => runs.size === 400, { within: '20s' });
    await until('all outcomes are stored', async () => (await test.redis.exists(test.keys.active)) === 0, {
      within: '20s',
    });
    // What ran and could not be written is written again, so nothing runs twice.
    expect(Math.max(...runs.values())).toBe(1);
    const lines = test.logger.lines.filter(({ message }) => message.includes('Redis'));
    expect(lines.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(test.happened('leaseLost')).toEqual([]);
    await test.close();
    await redis.stop();
  });

  it('ends neither an idle server nor its shutdown', async () => {
    const redis = await startRedis({ appendonly: true });
    const test = ServerUnderTest.open({ url: redis.url });
    const server = await test.start(() => {});
    await redis.kill();
    await test.untilHappened('brokerDown');
    await redis.start();
    await test.untilHappened('brokerUp');
    await test.enqueue();
    await test.untilHappened('completed');
    await redis.kill();
    await test.untilHappened('brokerDown', 2);
    await server.shutdown();
    expect(server.status).toBe('closed');
    await redis.start();
    await test.close();
    await redis.stop();
  });

  it('is logged every 30 s while it lasts, whatever tasks are running', async () => {
    const redis = await startRedis();
    const test = ServerUnderTest.open({ url: redis.url, time: 'virtual' });
    await test.enqueue();
    await test.start(async () => await new Promise(() => {}), { healthCheck: () => {} });
    await test.untilHappened('started');
    await redis.kill();
    await test.untilHappened('brokerDown');
    const before = test.logger.lines.filter(({ level }) => level !== 'debug').length;
    await test.time.advance('5m');
    const lines = test.logger.lines.filter(({ level }) => level !== 'debug').slice(before);
    expect(lines.filter(({ message }) => message.includes('unreachable'))).toHaveLength(10);
    // Besides these only the run that lost its lease is worth a line, and its end.
    expect(lines.length).toBeLessThanOrEqual(12);
    await redis.start();
    await test.close();
    await redis.stop();
  });
});

describe('a server that Redis refuses', () => {
  it('S-38, D-S6 asks again after a growing pause, and logs it once in 3 s', async () => {
    const test = ServerUnderTest.open({ time: 'virtual' });
    const broker = faultyBroker(test.broker);
    const refusals = 1_000;
    broker.faults.dequeue.push(...Array.from({ length: refusals }, () => new BrokerCommandError('NOPERM not allowed')));
    await test.enqueue();
    await test.start(() => {}, { broker });
    await test.time.advance('10s');
    // After 100, 200, 400, 800 ms, then every second.
    const calls = refusals - broker.faults.dequeue.length;
    expect(calls).toBeGreaterThanOrEqual(10);
    expect(calls).toBeLessThanOrEqual(14);
    expect(test.logger.messages('error').length).toBeLessThanOrEqual(4);
    expect(test.logger.messages('error')[0]).toContain('NOPERM');
    broker.faults.dequeue.length = 0;
    await test.time.advance('2s');
    await test.untilHappened('completed');
    await test.close();
  });
});
