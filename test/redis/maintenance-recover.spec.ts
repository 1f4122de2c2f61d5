import type { ExpiredLease, Recovery } from '../../lib/model/broker/maintenance.contract.js';
import type { SettleOutcome } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, type EpochMs, epochMs, ms } from '../../lib/model/time/duration.js';
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
  const archiveOf = ({ message, leaseSeconds }: ExpiredLease): Recovery => ({
    settlement: { kind: 'archive', message: failed(message) },
    leaseSeconds,
  });
  const failed = (message: TaskMessage): TaskMessage => ({
    ...message,
    retried: message.retried + 1,
    errorMessage: 'asynq: task lease expired',
    lastFailedAtSeconds: noonSeconds,
  });
  const byId = (leases: readonly ExpiredLease[], outcomes: readonly SettleOutcome[]) =>
    Object.fromEntries(leases.map(({ message }, at) => [message.id, outcomes[at]]));
  const counters = async () =>
    await tasks.redis.mget(
      tasks.keys.processed,
      tasks.keys.failed,
      dayKey(tasks.keys.processed, noon),
      dayKey(tasks.keys.failed, noon),
    );

  it('P-65 S-87 Q-28 lists leases that ended by the given second, oldest first, and says when the next one ends', async () => {
    await tasks.given(active('b', 0), active('a', 30), active('c', -1), active('d', -30));
    const { leases, undecodable, nextEndsAt } = await list(epochMs(noon + 999));
    expect(leases.map(({ message, leaseSeconds }) => [message.id, leaseSeconds])).toEqual([
      ['a', noonSeconds - 30],
      ['b', noonSeconds],
    ]);
    expect(undecodable).toEqual([]);
    expect(nextEndsAt).toBe(noon + 1_000);
    expect(leases[0]?.message).toEqual(tasks.messageOf({ id: 'a' }));
    expect(await tasks.placesOf('a')).toEqual(['active', 'lease']);
  });

  it('says nothing of a queue that is idle', async () => {
    expect(await list()).toEqual({ leases: [], undecodable: [], nextEndsAt: undefined });
    await tasks.given(active('a', -5));
    expect(await list()).toEqual({ leases: [], undecodable: [], nextEndsAt: noon + 5_000 });
  });

  it('tells whose a task was and what a cancellation asked for', async () => {
    const fields = { 'x:o': `${noonSeconds - 65} h:1:s`, 'x:cancel': 'delete' };
    await tasks.given(active('theirs', 40), active('ours', 35, { fields }));
    const { leases } = await list();
    expect(leases.map(({ owner, canceled }) => [owner, canceled])).toEqual([
      [undefined, undefined],
      ['h:1:s', 'delete'],
    ]);
  });

  it('names no owner when the task failed after that owner took it: a Go program has taken it back', async () => {
    const fields = { 'x:o': `${noonSeconds - 300} h:1:s` };
    const takenBack = { lastFailedAtSeconds: noonSeconds - 200 };
    await tasks.given(active('a', 40, { fields, message: takenBack }));
    expect((await list()).leases.map(({ owner }) => owner)).toEqual([undefined]);
  });

  it('P-64 S-84 puts a task back for another try, with the effects and counters of a failed run', async () => {
    await tasks.given(active('task', 60, { fields: { 'x:o': `${noonSeconds - 90} h:1:s`, result: 'r' } }));
    const { leases } = await list();
    expect(await recover(...leases.map(retryOf))).toEqual(['settled']);
    expect(await tasks.placesOf('task')).toEqual(['retry']);
    expect(await tasks.redis.zscore(tasks.keys.retry, 'task')).toBe(String(noonSeconds + 61));
    expect(await tasks.redis.zscore(tasks.keys.due, 'task')).toBe(String(noon + 60_500));
    expect(await tasks.message('task')).toEqual(failed(tasks.messageOf({ id: 'task' })));
    expect(await tasks.hash('task')).toMatchObject({ state: 'retry', result: 'r' });
    expect(await tasks.hash('task')).not.toHaveProperty('x:o');
    expect(await counters()).toEqual(['1', '1', '1', '1']);
  });

  it('P-64 S-85 archives a task that has no tries left, with the effects and counters of a failed run', async () => {
    await tasks.given(active('task', 40));
    const { leases } = await list();
    expect(await recover(...leases.map(archiveOf))).toEqual(['settled']);
    expect(await tasks.placesOf('task')).toEqual(['archived']);
    expect(await tasks.message('task')).toMatchObject({ errorMessage: 'asynq: task lease expired' });
    expect(await counters()).toEqual(['1', '1', '1', '1']);
  });

  it('deletes a task whose cancellation asked for that, frees its lock and counts nothing', async () => {
    const lock = `${tasks.keys.taskPrefix.slice(0, -2)}unique:email:send:`;
    await tasks.redis.set(lock, 'task');
    await tasks.given(active('task', 40, { message: { uniqueKey: lock } }));
    const { leases } = await list();
    const recoveries = leases.map(({ message, leaseSeconds }) => ({
      settlement: { kind: 'delete' as const, message },
      leaseSeconds,
    }));
    expect(await recover(...recoveries)).toEqual(['settled']);
    expect(await tasks.placesOf('task')).toEqual([]);
    expect(await tasks.redis.exists(lock, taskKey(tasks.keys, 'task'), tasks.keys.processed)).toBe(0);
  });

  it('leaves a task alone that was recovered, extended or taken again since it was listed', async () => {
    await tasks.given(active('recovered', 60), active('extended', 60), active('same', 60));
    const { leases } = await list();
    const recoveries = leases.map(retryOf);
    await tasks.maintenance.recover(
      tasks.queue,
      recoveries.filter(({ settlement }) => settlement.message.id === 'recovered'),
      noon,
    );
    await tasks.redis.zadd(tasks.keys.lease, noonSeconds + 30, 'extended');
    const before = await tasks.hash('extended');
    const outcomes = await recover(...recoveries);
    expect(byId(leases, outcomes)).toEqual({ extended: 'not-active', recovered: 'not-active', same: 'settled' });
    expect(await tasks.placesOf('extended')).toEqual(['active', 'lease']);
    expect(await tasks.hash('extended')).toEqual(before);
    expect(await tasks.redis.zscore(tasks.keys.lease, 'extended')).toBe(String(noonSeconds + 30));
    expect(await tasks.message('recovered')).toMatchObject({ retried: 1 });
    expect(await counters()).toEqual(['2', '2', '2', '2']);
  });

  it('P-66 Q-23 archives a record that does not decode and goes on with the others', async () => {
    const bad = Buffer.from([0x0a, 0xff]);
    await tasks.given(active('bad', 60, { message: bad }), active('good', 50));
    const { leases, undecodable } = await list();
    expect(leases.map(({ message }) => message.id)).toEqual(['good']);
    expect(undecodable).toEqual([{ queue: tasks.queue, taskId: 'bad', reason: expect.any(String) }]);
    expect(await tasks.placesOf('bad')).toEqual(['archived']);
    expect(await tasks.message('bad')).toMatchObject({ id: 'bad', type: 'undecodable', queue: tasks.queue });
    expect(await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'bad'), 'x:msg')).toEqual(bad);
    expect(await counters()).toEqual(['1', '1', '1', '1']);
  });

  it('recovers a task under the id it is stored under, whatever its record says', async () => {
    await tasks.given(active('kept-as', 60, { message: { id: 'other', queue: 'elsewhere' } }));
    const { leases } = await list();
    expect(leases[0]?.message).toMatchObject({ id: 'kept-as', queue: tasks.queue });
    expect(await recover(...leases.map(retryOf))).toEqual(['settled']);
    expect(await tasks.placesOf('kept-as')).toEqual(['retry']);
  });

  it('Q-22 drops ids without a task, and lists those that stood behind them', async () => {
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

  it('Q-20 recovers a task that is leased but was lost from active', async () => {
    await tasks.given(
      active('task', 60, { places: [tasks.keys.lease] }),
      active('bad', 60, { places: [tasks.keys.lease], message: Buffer.from([0x0a, 0xff]) }),
      { id: 'elsewhere', state: 'archived', score: noonSeconds - 60, places: [tasks.keys.lease, tasks.keys.archived] },
    );
    const { leases, undecodable } = await list();
    expect(undecodable.map(({ taskId }) => taskId)).toEqual(['bad']);
    expect(await tasks.placesOf('bad')).toEqual(['archived']);
    const outcomes = await recover(...leases.map(retryOf));
    expect(byId(leases, outcomes)).toEqual({ elsewhere: 'not-active', task: 'settled' });
    expect(await tasks.placesOf('task')).toEqual(['retry']);
    expect(await tasks.placesOf('elsewhere')).toEqual(['archived']);
    expect((await list()).leases).toEqual([]);
  });

  it('lists no more than it was asked for, and never more than a thousand', async () => {
    await tasks.given(...Array.from({ length: 1_100 }, (_, i) => active(`t${i}`, 2_000 - i)));
    expect((await list(noon, 3)).leases.map(({ message }) => message.id)).toEqual(['t0', 't1', 't2']);
    expect((await list(noon, 5_000)).leases).toHaveLength(1_000);
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
