import { faultyBroker } from '../../support/faulty-broker.js';
import { aGate } from '../../support/until.js';
import { BrokerCommandError } from '../../../lib/model/errors/broker-errors.js';
import { epochMs } from '../../../lib/model/time/duration.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('an outcome that cannot be written', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  it('S-93, S-94, S-97, Q-63 is retried, and the task does not run twice', async () => {
    const broker = faultyBroker(test.broker);
    broker.faults.settle.push('lost-before', 'lost-before');
    const id = await test.enqueue();
    let runs = 0;
    await test.start(() => void (runs += 1), { broker });
    await test.untilHappened('started');
    await test.time.advance('900ms');
    expect(await test.stateOf(id)).toBe('active');
    await test.time.advance('200ms');
    expect(await test.stateOf(id)).toBe('active');
    await test.time.advance('2s');
    expect(await test.stateOf(id)).toBe('gone');
    expect(test.happened('completed')).toHaveLength(1);
    await test.time.advance('120s');
    expect(runs).toBe(1);
    expect(test.happened('lateOutcome')).toEqual([]);
  });

  it('counts as written when only the reply was lost', async () => {
    const broker = faultyBroker(test.broker);
    broker.faults.settle.push('lost-after');
    await test.enqueue();
    await test.start(() => {}, { broker });
    await test.untilHappened('started');
    await test.time.advance('2s');
    expect(test.happened('completed')).toHaveLength(1);
    expect(test.happened('lateOutcome')).toEqual([]);
  });

  it('is written although its server cannot reach Redis for longer than the lease', async () => {
    const broker = faultyBroker(test.broker);
    const id = await test.enqueue();
    await test.start(() => {}, { broker });
    broker.faults.settle.push(...Array.from({ length: 12 }, () => 'lost-before' as const));
    broker.faults.extendLeases.push(...Array.from({ length: 16 }, () => 'lost-before' as const));
    await test.untilHappened('started');
    await test.time.advance('35s');
    expect(await test.stateOf(id)).toBe('active');
    await test.time.advance('30s');
    expect(await test.stateOf(id)).toBe('gone');
    expect(test.happened('completed')).toHaveLength(1);
  });

  it('does not affect the next run of the task when only the reply was lost', async () => {
    const broker = faultyBroker(test.broker);
    const id = await test.enqueue();
    const first = await test.start(
      () => {
        throw new Error('first run');
      },
      { broker, retryDelay: () => '200ms' },
    );
    broker.faults.settle.push('lost-after');
    await test.untilHappened('started');
    await first.stop();
    let runs = 0;
    const gate = aGate();
    await test.start(async () => {
      runs += 1;
      await gate.opened;
    });
    await test.time.advance('20s');
    expect(runs).toBe(1);
    expect(await test.stateOf(id)).toBe('active');
    gate.open();
    await test.untilHappened('completed');
    expect(runs).toBe(1);
  });

  it('S-82, S-95 is given up when another server has recovered the task in the meantime', async () => {
    const broker = faultyBroker(test.broker);
    const id = await test.enqueue();
    await test.start(() => {}, { broker });
    broker.faults.settle.push(...Array.from({ length: 100 }, () => 'lost-before' as const));
    broker.faults.extendLeases.push(...Array.from({ length: 100 }, () => 'lost-before' as const));
    await test.untilHappened('started');
    await test.time.advance('45s');
    expect(await test.stateOf(id)).toBe('active');
    await recoverElsewhere(test, id);
    broker.faults.settle.length = 0;
    broker.faults.extendLeases.length = 0;
    await test.time.advance('10s');
    expect(test.happened('completed')).toEqual([]);
    expect(test.happened('lateOutcome')).toMatchObject([{ task: { id }, outcome: 'done' }]);
    expect(await test.stateOf(id)).toBe('retry');
    expect(test.logger.messages('warn').join()).toContain('came too late');
  });

  it('P-117 leaves the task to the worker that took it after the recovery', async () => {
    const broker = faultyBroker(test.broker);
    const id = await test.enqueue();
    await test.start(() => {}, { broker, queues: { [test.queue]: 1 } });
    broker.faults.settle.push(...Array.from({ length: 100 }, () => 'lost-before' as const));
    broker.faults.extendLeases.push(...Array.from({ length: 100 }, () => 'lost-before' as const));
    await test.untilHappened('started');
    await test.time.advance('45s');
    await recoverElsewhere(test, id);
    // The other server runs it again at once.
    await test.redis.multi().zrem(test.keys.retry, id).lpush(test.keys.active, id).exec();
    await test.redis.zadd(test.keys.lease, Math.floor(test.clock.now() / 1_000) + 30, id);
    broker.faults.settle.length = 0;
    broker.faults.extendLeases.length = 0;
    await test.time.advance('10s');
    await test.untilHappened('lateOutcome');
    expect(await test.redis.lrange(test.keys.active, 0, -1)).toEqual([id]);
    expect(test.happened('completed')).toEqual([]);
  });

  it('S-96 is tried once more at shutdown', async () => {
    const broker = faultyBroker(test.broker);
    broker.faults.settle.push('lost-before');
    const id = await test.enqueue();
    const server = await test.start(() => {}, { broker });
    await test.untilHappened('started');
    await test.time.settle();
    expect(await test.stateOf(id)).toBe('active');
    await server.shutdown();
    expect(await test.stateOf(id)).toBe('gone');
  });

  it('S-96 is reported when that fails, too', async () => {
    const broker = faultyBroker(test.broker);
    broker.faults.settle.push('lost-before', 'lost-before');
    const id = await test.enqueue();
    const server = await test.start(() => {}, { broker });
    await test.untilHappened('started');
    await test.time.settle();
    await server.shutdown();
    expect(await test.stateOf(id)).toBe('active');
    expect(test.logger.messages('error').join()).toContain(`task "${id}"`);
  });

  it('D-S12 does not wait longer because other outcomes fail, too', async () => {
    const broker = faultyBroker(test.broker);
    broker.faults.settle.push('lost-before');
    const first = await test.enqueue();
    const gate = aGate();
    await test.start(async (task) => (task.id === first ? undefined : await gate.opened), { broker });
    await test.untilHappened('started');
    await test.time.advance('600ms');
    broker.faults.settle.push('lost-before');
    gate.open();
    const second = await test.enqueue();
    await test.untilHappened('started', 2);
    await test.time.advance('500ms');
    expect(await test.stateOf(first)).toBe('gone');
    await test.time.advance('10s');
    expect(await test.stateOf(second)).toBe('gone');
  });

  it('does not keep its server from fetching once thousands of them are written', async () => {
    const broker = faultyBroker(test.broker);
    const refusal = new BrokerCommandError('WRONGTYPE');
    broker.faults.settle.push(...Array.from({ length: 100_000 }, () => refusal));
    for (let at = 0; at < 12_000; at += 1_000) {
      await Promise.all(Array.from({ length: 1_000 }, () => test.enqueue()));
    }
    await test.start(() => {}, { broker, concurrency: 500 });
    await test.untilHappened('started', 10_000);
    await test.time.settle();
    // Memory is bounded: the others wait in Redis.
    expect(await test.redis.llen(test.keys.pending)).toBeGreaterThan(0);
    broker.faults.settle.length = 0;
    await test.time.advance('10s');
    await test.untilHappened('completed', 12_000);
  });

  it('frees the slot in the meantime', async () => {
    const broker = faultyBroker(test.broker);
    broker.faults.settle.push('lost-before');
    await test.enqueue();
    await test.enqueue();
    await test.start(() => {}, { broker, concurrency: 1 });
    await test.untilHappened('started', 2);
  });
});

/** What another server does with a task whose lease has ended. */
async function recoverElsewhere(test: ServerUnderTest, id: string): Promise<void> {
  const { maintenance } = test.broker;
  const now = test.clock.now();
  const { leases } = await maintenance.listExpiredLeases({ queue: test.queue, expiredBy: now, now, limit: 10 });
  const lease = leases.find(({ message }) => message.id === id);
  if (lease === undefined) throw new Error('the lease has not ended');
  const retryAt = epochMs(now + 3_600_000);
  const settlement = { kind: 'retry', message: lease.message, retryAt, counts: 'as-failure' } as const;
  await maintenance.recover(test.queue, [{ settlement, leaseSeconds: lease.leaseSeconds }], now);
}
