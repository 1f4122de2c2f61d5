import { decodeServerInfo, decodeWorkerInfo } from '../../../lib/model/broker/presence.codec.js';
import { toEpochSeconds } from '../../../lib/model/time/duration.js';
import { serverKey, workersKey } from '../../../lib/redis/keys.js';
import { identityOf } from '../../../lib/engine/server/heartbeater.js';
import type { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import { faultyBroker } from '../../support/faulty-broker.js';
import { aGate, until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('leases and heartbeats', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  const forever = async (): Promise<never> => await new Promise(() => {});
  const nowSeconds = (): number => toEpochSeconds(test.clock.now());
  const ownerOf = (server: AsynqServer): string => {
    const { host, pid, serverId } = identityOf(server.id);
    return `${host}:${pid}:${serverId}`;
  };

  it('S-71, P-57 leases a task for 30 s when it is fetched', async () => {
    const id = await test.enqueue();
    await test.start(forever, { shutdownTimeout: 0 });
    await test.untilHappened('started');
    expect(await test.leaseOf(id)).toBe(nowSeconds() + 30);
  });

  it('S-72, S-73, P-61 extends the leases of running tasks, and no others, at every heartbeat in every queue', async () => {
    const other = test.anotherQueue();
    const gate = aGate();
    const running = [await test.enqueue({ id: 'same' }), await test.enqueue({ id: 'same', queue: other })];
    const ending = await test.enqueue();
    await test.start(async (task) => (task.id === ending ? await gate.opened : await forever()), {
      queues: { [test.queue]: 1, [other]: 1 },
    });
    await test.untilHappened('started', 3);
    await test.time.advance('40s');
    expect(await test.leaseOf(running[0] ?? '')).toBe(nowSeconds() + 30);
    expect(await test.leaseOf(running[1] ?? '', other)).toBe(nowSeconds() + 30);
    gate.open();
    await test.untilState(ending, 'gone');
    await test.time.advance('10s');
    expect(await test.leaseOf(ending)).toBeUndefined();
    expect(test.happened('leaseLost')).toEqual([]);
  });

  it('S-74, S-76, P-104, P-105, P-107 publishes itself and its running tasks at the start', async () => {
    const id = await test.enqueue({ payload: Buffer.from('{"a":1}') });
    const server = await test.start(forever, { queues: { [test.queue]: 3 }, concurrency: 7 });
    await test.untilHappened('started');
    const owner = ownerOf(server);
    expect(Number(await test.redis.zscore('asynq:servers', serverKey(owner)))).toBe(nowSeconds() + 10);
    expect(await test.redis.ttl(serverKey(owner))).toBeGreaterThan(5);
    expect(await test.redis.ttl(serverKey(owner))).toBeLessThanOrEqual(10);
    expect(await test.redis.exists(workersKey(owner))).toBe(0);
    const startedAt = test.clock.now();
    await test.time.advance('5s');
    const info = decodeServerInfo((await test.redis.getBuffer(serverKey(owner))) ?? Buffer.alloc(0));
    expect(info).toMatchObject({
      ok: true,
      value: {
        ...identityOf(server.id),
        concurrency: 7,
        queues: { [test.queue]: 3 },
        strictPriority: false,
        status: 'active',
        startedAt,
        activeWorkerCount: 1,
      },
    });
    const worker = decodeWorkerInfo((await test.redis.hgetBuffer(workersKey(owner), id)) ?? Buffer.alloc(0));
    expect(worker).toMatchObject({
      ok: true,
      value: { taskId: id, taskType: 'test:task', queue: test.queue, startedAt, deadline: startedAt + 1_800_000 },
    });
  });

  it('S-77, P-106 removes what it published when it shuts down', async () => {
    const server = await test.start(() => {});
    const key = serverKey(ownerOf(server));
    await until('it is published', async () => (await test.redis.exists(key)) === 1);
    await server.shutdown();
    expect(await test.redis.exists(key, workersKey(ownerOf(server)))).toBe(0);
    expect(await test.redis.zscore('asynq:servers', key)).toBeNull();
  });

  it('S-81 stops a run whose lease is gone, and writes nothing for it', async () => {
    const id = await test.enqueue();
    const heard: unknown[] = [];
    const reasons: unknown[] = [];
    await test.start(
      async (task) => {
        await new Promise<void>((resolve) => task.signal.addEventListener('abort', () => resolve(), { once: true }));
        reasons.push(task.signal.reason);
        throw new Error('stopped');
      },
      { errorHandler: (error) => heard.push(error) },
    );
    await test.untilHappened('started');
    await test.redis.zrem(test.keys.lease, id);
    await test.redis.lrem(test.keys.active, 0, id);
    const before = await test.redis.hgetallBuffer(`${test.keys.taskPrefix}${id}`);
    await test.time.advance('6s');
    await until('the run has ended', () => heard.length > 0);
    expect(heard).toMatchObject([{ code: 'ASYNQ_LEASE_EXPIRED', message: 'asynq: task lease expired' }]);
    expect(reasons).toEqual(heard);
    expect(test.happened('leaseLost')).toMatchObject([{ task: { id } }]);
    expect(await test.redis.hgetallBuffer(`${test.keys.taskPrefix}${id}`)).toEqual(before);
  });

  it('P-62, P-117, Q-19 never touches a lease of another server', async () => {
    const id = await test.enqueue();
    await test.start(forever, { abortGrace: 0 });
    await test.untilHappened('started');
    const theirs = nowSeconds() + 90;
    await test.redis.zadd(test.keys.lease, theirs, id);
    await test.time.advance('6s');
    expect(await test.leaseOf(id)).toBe(theirs);
    await test.untilHappened('leaseLost');
  });

  it('ends a run at the next heartbeat if the cancellation signal was missed', async () => {
    const id = await test.enqueue();
    await test.start(forever, { abortGrace: 0 });
    await test.untilHappened('started');
    await test.redis.hset(`${test.keys.taskPrefix}${id}`, 'x:cancel', 'archive');
    await test.time.advance('6s');
    await test.untilHappened('archived');
    expect(test.happened('canceled')).toHaveLength(1);
    expect(await test.stateOf(id)).toBe('archived');
  });

  it('loses a lease that has expired and cannot be extended', async () => {
    const broker = faultyBroker(test.broker);
    await test.enqueue();
    await test.start(forever, { broker });
    await test.untilHappened('started');
    broker.faults.extendLeases.push(...Array.from({ length: 20 }, () => 'lost-before' as const));
    await test.time.advance('28s');
    expect(test.happened('leaseLost')).toEqual([]);
    await test.time.advance('12s');
    expect(test.happened('leaseLost')).toHaveLength(1);
  });

  it('keeps a lease whose extension was carried out although the reply was lost', async () => {
    const broker = faultyBroker(test.broker);
    const id = await test.enqueue();
    await test.start(forever, { broker });
    await test.untilHappened('started');
    broker.faults.extendLeases.push('lost-after', 'lost-after');
    await test.time.advance('60s');
    expect(test.happened('leaseLost')).toEqual([]);
    expect(await test.leaseOf(id)).toBeGreaterThan(nowSeconds());
  });

  it('reports a handler that blocks the event loop, and still keeps its leases', async () => {
    const gate = aGate();
    const id = await test.enqueue();
    await test.start(async () => await gate.opened);
    await test.untilHappened('started');
    await test.time.advance('10s');
    // The machine goes on while no timer of the process can fire.
    test.time.jump('45s');
    await test.time.advance(0);
    const [blocked] = await test.untilHappened('loopBlocked');
    expect(blocked?.blockedFor).toBeGreaterThanOrEqual(40_000);
    expect(blocked?.running).toMatchObject([{ id }]);
    expect(test.logger.messages('warn').join()).toContain(`tasks running: test:task ${id}`);
    expect(test.happened('leaseLost')).toEqual([]);
    expect(await test.leaseOf(id)).toBe(nowSeconds() + 30);
    gate.open();
    await test.untilState(id, 'gone');
  });

  it('does not report a block that delays no heartbeat by a second', async () => {
    await test.start(() => {});
    await test.time.advance('10s');
    test.time.jump('4s');
    await test.time.advance('5s');
    expect(test.happened('loopBlocked')).toEqual([]);
  });

  it('writes the outcome of a run that blocked the event loop past its lease, if nobody took the task', async () => {
    const id = await test.enqueue();
    await test.start(() => test.time.jump('50s'));
    await test.untilHappened('completed');
    expect(await test.stateOf(id)).toBe('gone');
    expect(test.happened('recovered')).toEqual([]);
  });

  it('S-78 continues its heartbeats when Redis cannot be reached', async () => {
    const broker = faultyBroker(test.broker);
    await test.enqueue();
    await test.start(forever, { broker });
    await test.untilHappened('started');
    broker.faults.extendLeases.push('lost-before');
    await test.time.advance('5s');
    const extended = nowSeconds();
    await test.time.advance('5s');
    expect(await test.leaseOf('task-1')).toBe(extended + 5 + 30);
  });
});
