import type { ExpiredLease, Recovery } from '../../lib/model/broker/maintenance.contract.js';
import type { SettleOutcome } from '../../lib/model/broker/work.contract.js';
import { encodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, epochMs, ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { nothingCounted, type QueueUnderTest } from './queue-under-test.js';
import { after, ids, leaseSeconds, now, nowSeconds, owner, sharp } from './task-words.js';

export const recovering = chapter('recovering tasks of lost workers', (it) => {
  const list = async (tasks: QueueUnderTest, expiredBy: number = sharp, limit = 100) =>
    await tasks.broker.maintenance.listExpiredLeases({
      queue: tasks.queue,
      expiredBy: epochMs(expiredBy),
      now,
      limit,
    });
  const recover = async (tasks: QueueUnderTest, ...recoveries: readonly Recovery[]) =>
    await tasks.broker.maintenance.recover(tasks.queue, recoveries, now);
  const failed = (message: TaskMessage): TaskMessage => ({
    ...message,
    retried: message.retried + 1,
    errorMessage: 'asynq: task lease expired',
    lastFailedAtSeconds: nowSeconds,
  });
  const retryOf = ({ message, leaseSeconds }: ExpiredLease): Recovery => ({
    settlement: { kind: 'retry', message: failed(message), retryAt: after(60_500), counts: 'as-failure' },
    leaseSeconds,
  });
  const byId = (leases: readonly ExpiredLease[], outcomes: readonly SettleOutcome[]) =>
    Object.fromEntries(leases.map(({ message }, at) => [message.id, outcomes[at]]));

  it('P-65 S-87 Q-28 lists leases that ended by the given second, oldest first, and returns when the next one ends', async (tasks) => {
    await tasks.expired(0, { id: 'b' });
    await tasks.expired(30, { id: 'a' });
    await tasks.expired(-1, { id: 'c' });
    await tasks.expired(-30, { id: 'd' });
    const { leases, undecodable, nextEndsAt } = await list(tasks, sharp + 999);
    const ended = leases.map((lease) => [lease.message.id, lease.leaseSeconds]);
    expect(ended).toEqual([
      ['a', nowSeconds - 30],
      ['b', nowSeconds],
    ]);
    expect(undecodable).toEqual([]);
    expect(nextEndsAt).toBe(sharp + 1_000);
    expect(leases[0]?.message).toEqual(tasks.message({ id: 'a' }));
    expect(await tasks.placesOf('a')).toEqual(['active', 'lease']);
  });

  it('lists nothing for an idle queue', async (tasks) => {
    expect(await list(tasks)).toEqual({ leases: [], undecodable: [], nextEndsAt: undefined });
    await tasks.expired(-5, { id: 'a' });
    expect(await list(tasks)).toEqual({ leases: [], undecodable: [], nextEndsAt: sharp + 5_000 });
  });

  it('returns the owner of a task and the outcome of a cancellation', async (tasks) => {
    await tasks.expired(40, { id: 'a' });
    await tasks.expired(35, { id: 'b' });
    await tasks.cancel('b', 'delete');
    const { leases } = await list(tasks);
    expect(leases.map((lease) => [lease.owner, lease.canceled])).toEqual([
      [owner, undefined],
      [owner, 'delete'],
    ]);
  });

  it('returns no owner when the task has failed since: another program has recovered it', async (tasks) => {
    await tasks.expired(40, { id: 'a', lastFailedAtSeconds: nowSeconds - 69 }, { id: 'b' });
    await tasks.expired(40, { id: 'c', lastFailedAtSeconds: nowSeconds - 70 });
    const { leases } = await list(tasks);
    expect(Object.fromEntries(leases.map((lease) => [lease.message.id, lease.owner]))).toEqual({
      a: undefined,
      b: owner,
      c: owner,
    });
  });

  it('P-64 S-84 retries a task, with the effects and counters of a failed run', async (tasks) => {
    await tasks.expired(60, { id: 'a' });
    await tasks.writeResult('a', Buffer.from('r'));
    const { leases } = await list(tasks);
    expect(await recover(tasks, ...leases.map(retryOf))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['retry']);
    expect(await tasks.probe.secondOf('retry', 'a')).toBe(nowSeconds + 61);
    expect(await tasks.probe.dueAt('a')).toBe(now + 60_500);
    expect(await tasks.stored('a')).toEqual(failed(tasks.message({ id: 'a' })));
    const task = await tasks.task('a');
    expect([task.state, task.owner, Buffer.from(task.result ?? []).toString()]).toEqual(['retry', undefined, 'r']);
    expect(await tasks.counters()).toEqual({ processed: 1, failed: 1, processedToday: 1, failedToday: 1 });
  });

  it('P-64 S-85 archives a task that has no tries left, with the effects of a failed run', async (tasks) => {
    await tasks.expired(40, { id: 'a' });
    const { leases } = await list(tasks);
    const recoveries = leases.map((lease) => ({
      settlement: { kind: 'archive' as const, message: failed(lease.message) },
      leaseSeconds: lease.leaseSeconds,
    }));
    expect(await recover(tasks, ...recoveries)).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['archived']);
    expect(await tasks.stored('a')).toMatchObject({ errorMessage: 'asynq: task lease expired' });
    expect(await tasks.counters()).toEqual({ processed: 1, failed: 1, processedToday: 1, failedToday: 1 });
  });

  it('deletes a task whose cancellation asked for that, frees its lock and counts nothing', async (tasks) => {
    await tasks.expired(40, { id: 'a', uniqueKey: tasks.lockName(), uniqueForSeconds: 600 });
    const { leases } = await list(tasks);
    const recoveries = leases.map((lease) => ({
      settlement: { kind: 'delete' as const, message: lease.message },
      leaseSeconds: lease.leaseSeconds,
    }));
    expect(await recover(tasks, ...recoveries)).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual([]);
    expect(await tasks.probe.taskIds()).toEqual([]);
    expect(await tasks.probe.lock(tasks.lockName())).toBeUndefined();
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  it('puts a task back at the head of its queue', async (tasks) => {
    await tasks.expired(40, { id: 'a' });
    await tasks.enqueue({ id: 'b' });
    const { leases } = await list(tasks);
    const recoveries = leases.map((lease) => ({
      settlement: { kind: 'requeue' as const, message: lease.message },
      leaseSeconds: lease.leaseSeconds,
    }));
    expect(await recover(tasks, ...recoveries)).toEqual(['settled']);
    expect(await tasks.idsIn('pending')).toEqual(['a', 'b']);
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  for (const kind of ['retry', 'archive', 'delete', 'requeue'] as const) {
    it(`recovers a task, to ${kind} it, only while it has the lease that was listed`, async (tasks) => {
      const messages = await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
      const ends = [leaseSeconds, leaseSeconds - 5, leaseSeconds + 1];
      const settlementOf = (message: TaskMessage): Recovery['settlement'] =>
        kind === 'retry' ? { kind, message, retryAt: after(5_000), counts: 'as-failure' } : { kind, message };
      const recoveries = messages.map((message, i) => ({
        settlement: settlementOf(message),
        leaseSeconds: ends[i] ?? 0,
      }));
      expect(await recover(tasks, ...recoveries)).toEqual(['settled', 'not-active', 'not-active']);
      expect(await tasks.placesOf('a')).not.toContain('active');
      expect(await tasks.placesOf('b')).toEqual(['active', 'lease']);
      expect(await tasks.placesOf('c')).toEqual(['active', 'lease']);
    });
  }

  it('does not touch a task that was recovered, extended or taken again since it was listed', async (tasks) => {
    await tasks.expired(60, { id: 'recovered' }, { id: 'extended' }, { id: 'same' });
    const { leases } = await list(tasks);
    const recoveries = leases.map(retryOf);
    const first = recoveries.filter(({ settlement }) => settlement.message.id === 'recovered');
    await recover(tasks, ...first);
    const lease = { taskId: 'extended', until: epochMs(sharp - 60_000), takenAt: addMs(now, ms(-90_000)) };
    const leaseUntil = addMs(sharp, ms(30_000));
    await tasks.broker.work.extendLeases({ queue: tasks.queue, owner, leases: [lease], leaseUntil });
    const before = await tasks.task('extended');
    const outcomes = await recover(tasks, ...recoveries);
    expect(byId(leases, outcomes)).toEqual({ extended: 'not-active', recovered: 'not-active', same: 'settled' });
    expect(await tasks.placesOf('extended')).toEqual(['active', 'lease']);
    expect(await tasks.task('extended')).toEqual(before);
    expect(await tasks.probe.secondOf('lease', 'extended')).toBe(nowSeconds + 30);
    expect(await tasks.stored('recovered')).toMatchObject({ retried: 1 });
    expect(await tasks.counters()).toMatchObject({ processed: 2, failed: 2 });
  });

  it('recovers a task under the id of its key, whatever its record says', async (tasks) => {
    await tasks.expired(60, { id: 'a' });
    await tasks.probe.replaceRecord('a', encodeTaskMessage(tasks.message({ id: 'other', queue: 'elsewhere' })));
    const { leases } = await list(tasks);
    expect(leases[0]?.message).toMatchObject({ id: 'a', queue: tasks.queue });
    expect(await recover(tasks, ...leases.map(retryOf))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['retry']);
  });

  it('Q-22 drops ids without a task, and lists the tasks behind them', async (tasks) => {
    const gone = ids(30).map((id) => `gone-${id}`);
    await tasks.probe.putIn('active', gone, 0);
    await tasks.probe.putIn('lease', gone, nowSeconds - 90);
    await tasks.expired(60, { id: 'a' });
    const { leases } = await list(tasks, sharp, 10);
    expect(leases.map(({ message }) => message.id)).toEqual(['a']);
    expect(await tasks.idsIn('active')).toEqual(['a']);
    expect(await tasks.idsIn('lease')).toEqual(['a']);
  });

  it('Q-20 recovers a task that is leased but was lost from active', async (tasks) => {
    await tasks.expired(60, { id: 'a' }, { id: 'elsewhere' });
    await tasks.settle({ kind: 'archive', message: tasks.message({ id: 'elsewhere' }) });
    await tasks.probe.takeOut('active', 'a');
    await tasks.probe.putIn('lease', ['elsewhere'], nowSeconds - 60);
    const { leases } = await list(tasks);
    const outcomes = await recover(tasks, ...leases.map(retryOf));
    expect(byId(leases, outcomes)).toEqual({ elsewhere: 'not-active', a: 'settled' });
    expect(await tasks.placesOf('a')).toEqual(['retry']);
    expect(await tasks.placesOf('elsewhere')).toEqual(['archived']);
    expect((await list(tasks)).leases).toEqual([]);
  });

  it('lists up to the limit, and at most a thousand', async (tasks) => {
    for (let i = 0; i < 3; i++) await tasks.expired(200 - i, { id: `first-${i}` });
    await tasks.expired(60, ...ids(1_000).map((id) => ({ id })));
    const three = (await list(tasks, sharp, 3)).leases.map(({ message }) => message.id);
    expect(three).toEqual(['first-0', 'first-1', 'first-2']);
    expect((await list(tasks, sharp, 5_000)).leases).toHaveLength(1_000);
  });

  it('recovers two thousand tasks, a bounded number at a time', async (tasks) => {
    for (let i = 0; i < 2; i++) await tasks.expired(60, ...ids(1_000).map((id) => ({ id: `${i}-${id}` })));
    const calls: number[] = [];
    for (;;) {
      const { leases } = await list(tasks, sharp, 1_000);
      if (leases.length === 0) break;
      calls.push((await recover(tasks, ...leases.map(retryOf))).filter((outcome) => outcome === 'settled').length);
    }
    expect(calls).toEqual([1_000, 1_000]);
    expect(await tasks.idsIn('retry')).toHaveLength(2_000);
    expect([await tasks.idsIn('active'), await tasks.idsIn('lease')]).toEqual([[], []]);
    expect(await tasks.counters()).toMatchObject({ processed: 2_000, failed: 2_000 });
  });
});
