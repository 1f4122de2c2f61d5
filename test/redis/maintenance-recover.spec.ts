import type { ExpiredLease, Recovery } from '../../lib/model/broker/maintenance.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, type EpochMs, ms } from '../../lib/model/time/duration.js';
import { dayKey, taskKey } from '../../lib/redis/keys.js';
import { noon, noonSeconds, type Seed, SeededQueue } from './seeded-queue.js';

describe('recovering tasks of lost workers', () => {
  let tasks: SeededQueue;
  beforeEach(() => {
    tasks = SeededQueue.open();
  });
  afterEach(async () => await tasks.close());

  const list = async (expiredBy: EpochMs = noon, limit = 100) =>
    await tasks.maintenance.listExpiredLeases({ queue: tasks.queue, expiredBy, now: noon, limit });
  const recover = async (...recoveries: readonly Recovery[]) =>
    await tasks.maintenance.recover(tasks.queue, recoveries, noon);
  const active = (id: string, endedAgo: number, more: Partial<Seed> = {}): Seed => ({
    id,
    state: 'active',
    score: noonSeconds - endedAgo,
    ...more,
  });
  const retryOf = ({ message, leaseSeconds }: ExpiredLease): Recovery => ({
    settlement: {
      kind: 'retry',
      message: failed(message),
      retryAt: addMs(noon, ms(60_500)),
      counts: 'as-failure',
    },
    leaseSeconds,
  });
  const failed = (message: TaskMessage): TaskMessage => ({
    ...message,
    retried: message.retried + 1,
    errorMessage: 'asynq: task lease expired',
    lastFailedAtSeconds: noonSeconds,
  });
  const counters = async () =>
    await tasks.redis.mget(
      tasks.keys.processed,
      tasks.keys.failed,
      dayKey(tasks.keys.processed, noon),
      dayKey(tasks.keys.failed, noon),
    );

  it('Q-22 drops ids without a task, and lists the tasks behind them', async () => {
    const gone = Array.from({ length: 30 }, (_, i) => `gone-${i}`);
    await tasks.redis.rpush(tasks.keys.active, ...gone);
    for (const id of gone) await tasks.redis.zadd(tasks.keys.lease, noonSeconds - 90, id);
    await tasks.redis.hset(taskKey(tasks.keys, 'gone-1'), 'state', 'active');
    await tasks.given(active('task', 60));
    const { leases } = await list(noon, 10);
    expect(leases.map(({ message }) => message.id)).toEqual(['task']);
    expect(await tasks.redis.lrange(tasks.keys.active, 0, -1)).toEqual(['task']);
    expect(await tasks.redis.zcard(tasks.keys.lease)).toBe(1);
  });

  it('recovers 20,000 tasks, a bounded number at a time', async () => {
    for (let start = 0; start < 20_000; start += 2_000) {
      await tasks.given(...Array.from({ length: 2_000 }, (_, i) => active(`t${start + i}`, 60)));
    }
    let recovered = 0;
    for (;;) {
      const { leases } = await list(noon, 1_000);
      if (leases.length === 0) break;
      recovered += (await recover(...leases.map(retryOf))).filter((outcome) => outcome === 'settled').length;
    }
    expect(recovered).toBe(20_000);
    expect(await tasks.redis.zcard(tasks.keys.retry)).toBe(20_000);
    expect(await tasks.redis.exists(tasks.keys.active, tasks.keys.lease)).toBe(0);
    expect(await counters()).toEqual(['20000', '20000', '20000', '20000']);
  });
});
