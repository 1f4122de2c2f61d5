import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import { openBroker } from '../../../lib/engine/open-broker.js';
import { silentLogger } from '../../../lib/engine/logger.js';
import { systemClock } from '../../../lib/engine/system-clock.js';
import { decodeServerInfo } from '../../../lib/model/broker/presence.codec.js';
import { serverKey } from '../../../lib/redis/keys.js';
import { startRedis } from '../../support/redis-server.js';
import { aGate, until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('the life of a server', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open();
  });

  afterEach(async () => await test.close());

  const publishedStatus = async (server: AsynqServer): Promise<string | undefined> => {
    const [key] = await test.redis.keys(serverKey(`*:${process.pid}:${server.id}`).replace(/[{}]/g, '\\$&'));
    const bytes = key === undefined ? null : await test.redis.getBuffer(key);
    const info = bytes === null ? undefined : decodeServerInfo(bytes);
    return info?.ok === true ? info.value.status : undefined;
  };

  it('S-09 does not start without a handler, and stays new', async () => {
    const server = test.create();
    await expect(server.start(undefined as never)).rejects.toThrow('handler must be a function or a TaskMux');
    expect(server.status).toBe('new');
  });

  it('S-06 keeps a janitor batch above 100, and warns about it', async () => {
    const server = await test.start(() => {}, { janitorBatchSize: 101 });
    expect(server.options.janitorBatchSize).toBe(101);
    const warnings = test.logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toEqual([expect.stringContaining('janitorBatchSize above 100')]);
  });

  it('S-10 does not start twice, and keeps its handler', async () => {
    const seen: string[] = [];
    const server = await test.start(() => void seen.push('first'));
    await expect(server.start(() => void seen.push('second'))).rejects.toThrow('already running');
    await test.enqueue();
    await test.untilHappened('completed');
    expect(seen).toEqual(['first']);
    expect(server.status).toBe('active');
  });

  it('S-11, S-14 is closed for good after shutdown, which may be called twice', async () => {
    const server = await test.start(() => {});
    await Promise.all([server.shutdown(), server.shutdown()]);
    await server.shutdown();
    expect(server.status).toBe('closed');
    await expect(server.start(() => {})).rejects.toMatchObject({ code: 'ASYNQ_SERVER_CLOSED' });
  });

  it('S-12 does not start again after stop', async () => {
    const server = await test.start(() => {});
    await server.stop();
    await expect(server.start(() => {})).rejects.toMatchObject({ code: 'ASYNQ_INVALID_STATE' });
  });

  it('S-13 can be started after a stop and a shutdown that had nothing to do', async () => {
    const server = test.create();
    await server.stop();
    await server.shutdown();
    expect(server.status).toBe('new');
    await server.start(() => {});
    await test.enqueue();
    await test.untilHappened('completed');
  });

  it('S-15 pings Redis before it starts, and succeeds without Redis once closed', async () => {
    const redis = await startRedis();
    const server = new AsynqServer({ redis: redis.url });
    await server.ping();
    await server.start(() => {});
    await server.shutdown();
    await redis.stop();
    await expect(server.ping()).resolves.toBeUndefined();
  });

  it('S-19 leaves a broker that was passed to it open', async () => {
    const server = await test.start(() => {});
    await server.shutdown();
    await expect(test.broker.ping()).resolves.toBeUndefined();
  });

  it('S-18 closes every connection of its own', async () => {
    const redis = await startRedis();
    const watching = ServerUnderTest.open({ url: redis.url });
    const before = ((await watching.redis.client('LIST')) as string).split('\n').length;
    const server = new AsynqServer({ redis: redis.url, queues: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 } });
    await server.start(() => {});
    await server.ping();
    await server.shutdown();
    await until('the connections are gone', async () => {
      return ((await watching.redis.client('LIST')) as string).split('\n').length === before;
    });
    await watching.close();
    await redis.stop();
  });

  it('S-20, S-25 fetches nothing after stop, while running tasks end and delayed ones become pending', async () => {
    const gate = aGate();
    const first = await test.enqueue();
    const server = await test.start(async () => await gate.opened);
    await test.untilHappened('started');
    await server.stop();
    const second = await test.enqueue();
    const later = await test.enqueue({}, { kind: 'scheduled', processAt: (Date.now() + 300) as never });
    gate.open();
    await test.untilState(first, 'gone');
    await test.untilState(later, 'pending');
    expect(await test.stateOf(second)).toBe('pending');
    expect(test.happened('started')).toHaveLength(1);
  });

  it('S-21, S-75 publishes that it is stopped, and closed while it drains', async () => {
    const gate = aGate();
    await test.enqueue();
    const server = await test.start(async () => await gate.opened);
    await test.untilHappened('started');
    await until('it is published as active', async () => (await publishedStatus(server)) === 'active');
    await server.stop();
    await until('it is published as stopped', async () => (await publishedStatus(server)) === 'stopped');
    const closing = server.shutdown();
    await until('it is published as closed', async () => (await publishedStatus(server)) === 'closed');
    gate.open();
    await closing;
    expect(await publishedStatus(server)).toBeUndefined();
  });

  it('S-06 warns that a large janitor batch may keep Redis busy, and accepts it', async () => {
    const server = await test.start(() => {}, { janitorBatchSize: 101 });
    expect(server.options.janitorBatchSize).toBe(101);
    expect(test.logger.messages('warn').join()).toContain('janitorBatchSize');
  });

  it('S-22 stops at once when it is idle', async () => {
    const server = await test.start(() => {}, { taskCheckInterval: '1h' });
    const before = performance.now();
    await server.stop();
    expect(performance.now() - before).toBeLessThan(1_500);
  });

  it('fails to start when Redis cannot be reached, unlike S-16, and can be started later', async () => {
    const redis = await startRedis();
    await redis.stop();
    const broker = openBroker(redis.url, { clock: systemClock, logger: silentLogger, connectTimeout: '2s' });
    const server = new AsynqServer({ broker, queues: { [test.queue]: 1 } });
    await expect(server.start(() => {})).rejects.toMatchObject({ code: 'ASYNQ_BROKER_UNAVAILABLE' });
    expect(server.status).toBe('new');
    const again = await startRedis({ port: redis.port });
    await server.start(() => {});
    expect(server.status).toBe('active');
    await server.shutdown();
    await broker.close();
    await again.stop();
  });

  it('S-16 starts without Redis with waitForRedis, and works once Redis is there', async () => {
    const redis = await startRedis();
    await redis.stop();
    const server = test.create({ redis: redis.url, broker: undefined as never, waitForRedis: true });
    await server.start(() => {});
    expect(server.status).toBe('active');
    await until('it says that it waits', () =>
      test.logger.messages('error').some((line) => line.includes('still trying')),
    );
    const again = await startRedis({ port: redis.port });
    const there = ServerUnderTest.open({ url: again.url });
    const id = await there.enqueue({ queue: test.queue });
    await test.untilHappened('completed');
    expect(await there.stateOf(id, test.queue)).toBe('gone');
    await server.shutdown();
    await there.close();
    await again.stop();
  });

  it('S-16 shuts down while it still waits for Redis', async () => {
    const redis = await startRedis();
    await redis.stop();
    const patient = new AsynqServer({ redis: redis.url, waitForRedis: true });
    await patient.start(() => {});
    await patient.shutdown();
    expect(patient.status).toBe('closed');

    const server = new AsynqServer({ redis: redis.url });
    const starting = server.start(() => {});
    await server.shutdown();
    await expect(starting).rejects.toMatchObject({ code: 'ASYNQ_SERVER_CLOSED' });
  });
});
