import type { DequeueResult, RunClaim, SettleOutcome } from '../../lib/model/broker/work.contract.js';
import { chapter } from './chapter.js';
import { nothingCounted, type QueueUnderTest } from './queue-under-test.js';
import { settlementKinds, settlementOf } from './settle.conformance.js';
import { after, ended, ids, now, nowSeconds, owner, runTaken } from './task-words.js';

const otherOwner = 'host:2:other';
/** What the first run of each task knows of itself: its lease ended a minute ago. */
const lost: RunClaim = runTaken(after(-90_000));

/** A task that one server lost and another has taken since, or the same one. */
async function takenAnew(tasks: QueueUnderTest, newOwner: string): Promise<DequeueResult['messages']> {
  const { queue } = tasks;
  const { maintenance, work } = tasks.other;
  const lock = { uniqueKey: tasks.lockName(), uniqueForSeconds: 600 };
  await tasks.enqueueAt(lost.takenAt, { id: 'a', retentionSeconds: 60, ...lock });
  await tasks.dequeue(1, lost.takenAt);
  const { leases } = await maintenance.listExpiredLeases({ queue, expiredBy: after(-30_000), now, limit: 10 });
  const recoveries = leases.map(({ message, leaseSeconds }) => ({
    settlement: { kind: 'requeue', message } as const,
    leaseSeconds,
  }));
  expect(await maintenance.recover(queue, recoveries, after(-20_000))).toEqual(['settled']);
  const taken = { queue, limit: 1, now: after(-20_000), leaseUntil: after(10_000), owner: newOwner };
  return (await work.dequeue(taken)).messages;
}

/** Settles as the run did, whose words arrive only now. */
async function settleLate(
  tasks: QueueUnderTest,
  kind: (typeof settlementKinds)[number],
  run: RunClaim = lost,
): Promise<readonly SettleOutcome[]> {
  const settlement = settlementOf(kind, tasks.message({ uniqueKey: tasks.lockName(), retentionSeconds: 60 }));
  const settlements = ended([settlement], run);
  return await tasks.broker.work.settle({ queue: tasks.queue, owner, settlements, now: run.takenAt });
}

export const fencing = chapter('fencing', (it) => {
  for (const kind of settlementKinds) {
    it(`refuses to ${kind} a task that another server has taken since, however late the request arrives`, async (tasks) => {
      await takenAnew(tasks, otherOwner);
      const before = await tasks.task('a');
      expect(await settleLate(tasks, kind)).toEqual(['not-active']);
      expect(await tasks.task('a')).toEqual(before);
      expect(await tasks.placesOf('a')).toEqual(['active', 'lease']);
      expect(await tasks.probe.secondOf('lease', 'a')).toBe(nowSeconds + 10);
      expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('a');
      expect(await tasks.counters()).toEqual(nothingCounted);
    });

    it(`refuses to ${kind} a task that the same server has taken again`, async (tasks) => {
      await takenAnew(tasks, owner);
      expect(await settleLate(tasks, kind)).toEqual(['not-active']);
      expect(await tasks.placesOf('a')).toEqual(['active', 'lease']);
      expect(await settleLate(tasks, kind, runTaken(after(-20_000)))).toEqual(['settled']);
    });

    it(`refuses to ${kind} a task that is leased for longer than its run ever asked for`, async (tasks) => {
      // As a worker of another program leaves it, which writes no note of its own and does not remove ours.
      await tasks.enqueueAt(lost.takenAt, { id: 'a' });
      await tasks.dequeue(1, lost.takenAt);
      await tasks.probe.putIn('lease', ['a'], nowSeconds + 20);
      expect(await settleLate(tasks, kind)).toEqual(['not-active']);
      expect(await tasks.placesOf('a')).toEqual(['active', 'lease']);
      expect(await settleLate(tasks, kind, { ...lost, leaseAsked: after(20_000) })).toEqual(['settled']);
    });
  }

  for (const given of [2, 3, 30]) {
    it(`refuses ${given} tasks of one call that another server has taken since`, async (tasks) => {
      const { queue, other } = tasks;
      for (const id of ids(given)) await tasks.enqueueAt(lost.takenAt, { id });
      const messages = (await tasks.dequeue(given, lost.takenAt)).messages;
      const settlements = messages.map((message) => settlementOf('requeue', message));
      await tasks.broker.work.settle({ queue, owner, settlements: ended(settlements, lost), now: after(-20_000) });
      const taken = { queue, limit: given, now: after(-20_000), leaseUntil: after(10_000), owner: otherOwner };
      expect((await other.work.dequeue(taken)).messages).toHaveLength(given);
      const late = messages.map((message) => settlementOf('done', message));
      const request = { queue, owner, settlements: ended(late, lost), now: lost.takenAt };
      expect(await tasks.broker.work.settle(request)).toEqual(messages.map(() => 'not-active'));
      expect(await tasks.idsIn('active')).toEqual(ids(given));
      expect(await tasks.idsIn('lease')).toHaveLength(given);
    });
  }

  it('settles the tasks of one call that still belong to their runs, and refuses the others', async (tasks) => {
    await takenAnew(tasks, otherOwner);
    await tasks.enqueueAt(lost.takenAt, { id: 'b' });
    await tasks.dequeue(1, lost.takenAt);
    const settlements = ['a', 'b'].map((id) => settlementOf('done', tasks.message({ id })));
    const request = { queue: tasks.queue, owner, settlements: ended(settlements, lost), now };
    expect(await tasks.broker.work.settle(request)).toEqual(['not-active', 'settled']);
  });

  it('refuses the result of a run whose task another server has taken since', async (tasks) => {
    await takenAnew(tasks, otherOwner);
    const write = { queue: tasks.queue, owner, taskId: 'a', result: Buffer.from('late') };
    expect(await tasks.broker.work.writeResult({ ...write, ...lost })).toBe(false);
    expect((await tasks.task('a')).result).toBeUndefined();
    const theirs = { ...runTaken(after(-20_000)), owner: otherOwner };
    expect(await tasks.other.work.writeResult({ ...write, ...theirs })).toBe(true);
  });

  it('refuses the result of a run whose task is leased for longer than it ever asked for', async (tasks) => {
    await tasks.one();
    await tasks.probe.putIn('lease', ['a'], nowSeconds + 60);
    expect(await tasks.writeResult('a', Buffer.from('late'))).toBe(false);
    expect((await tasks.task('a')).result).toBeUndefined();
  });

  it('refuses the result of a run that has ended', async (tasks) => {
    await tasks.settle(settlementOf('snooze', await tasks.one()));
    expect(await tasks.writeResult('a', Buffer.from('late'))).toBe(false);
    expect((await tasks.task('a')).result).toBeUndefined();
  });

  it('refuses to recover a task under a different lease from the listed one', async (tasks) => {
    await takenAnew(tasks, otherOwner);
    const settlement = { kind: 'archive', message: tasks.message() } as const;
    const recoveries = [{ settlement, leaseSeconds: nowSeconds - 60 }];
    expect(await tasks.broker.maintenance.recover(tasks.queue, recoveries, now)).toEqual(['not-active']);
    expect(await tasks.placesOf('a')).toEqual(['active', 'lease']);
  });

  it('settles a task by its lease when the owner’s note is gone', async (tasks) => {
    const message = await tasks.one();
    await tasks.probe.loseTask('a');
    expect(await tasks.settle(settlementOf('done', message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual([]);
  });
});
