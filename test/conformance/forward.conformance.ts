import type { Settlement } from '../../lib/model/broker/work.contract.js';
import { type EpochMs, epochMs } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { nothingCounted, type QueueUnderTest } from './queue-under-test.js';
import { grouped, ids, later, now, nowSeconds, sharp } from './task-words.js';

export const forwarding = chapter('forwarding due tasks', (it) => {
  const forward = async (tasks: QueueUnderTest, at: number = sharp, limit = 100) =>
    await tasks.broker.maintenance.forwardDue({ queue: tasks.queue, now: epochMs(at), limit });
  const at = (delay: number): EpochMs => epochMs(sharp + delay);
  /** Tasks that wait to be retried, by their ids. */
  const retried = async (tasks: QueueUnderTest, due: Readonly<Record<string, EpochMs>>): Promise<void> => {
    const messages = await tasks.running(...Object.keys(due).map((id) => ({ id })));
    await tasks.settle(
      ...messages.map((message): Settlement => ({
        kind: 'retry',
        message,
        retryAt: due[message.id] ?? now,
        counts: 'not',
      })),
    );
  };

  it('P-46 S-105 S-106 moves the due tasks of both sets, and leaves the rest', async (tasks) => {
    await retried(tasks, { now: at(0), 'later-retry': at(7_000) });
    await tasks.enqueue(later('past', at(-5_000)), later('later', at(1_000)));
    expect(await forward(tasks)).toEqual({ forwarded: 2, more: false, nextDueAt: sharp + 1_000 });
    expect(await tasks.placesOf('past')).toEqual(['pending']);
    expect(await tasks.placesOf('now')).toEqual(['pending']);
    expect(await tasks.placesOf('later')).toEqual(['scheduled']);
    expect(await tasks.placesOf('later-retry')).toEqual(['retry']);
  });

  it('reports no due time for a queue in which nothing waits', async (tasks) => {
    expect(await forward(tasks)).toEqual({ forwarded: 0, more: false, nextDueAt: undefined });
  });

  it('P-44 P-47 makes a task pending as of now, behind waiting tasks, and keeps its other fields', async (tasks) => {
    const message = await tasks.one({ uniqueKey: tasks.lockName(), uniqueForSeconds: 60 });
    await tasks.writeResult('a', Buffer.from('r'));
    await tasks.settle({ kind: 'retry', message, retryAt: at(0), counts: 'not' });
    await tasks.enqueue({ id: 'waiting' });
    const before = await tasks.task('a');
    await forward(tasks, sharp + 1);
    expect(await tasks.idsIn('pending')).toEqual(['waiting', 'a']);
    expect(await tasks.task('a')).toEqual({ ...before, state: 'pending', pendingSince: sharp + 1 });
  });

  it('P-48 moves the earliest due task first, from either set and at any precision', async (tasks) => {
    await retried(tasks, { a: at(-9_000), d: at(-1) });
    await tasks.enqueue(later('e', at(0)), later('c', at(-999)), later('b', at(-1_000)));
    expect(await forward(tasks)).toMatchObject({ forwarded: 5, nextDueAt: undefined });
    expect(await tasks.idsIn('pending')).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('P-48 moves the earliest by milliseconds when more tasks than the limit share a second', async (tasks) => {
    await tasks.enqueue(
      later('a-whole', at(0)),
      ...Array.from({ length: 30 }, (_, i) => later(`t${String(i).padStart(2, '0')}`, at(-1 - i * 10))),
    );
    expect(await forward(tasks, sharp, 2)).toEqual({ forwarded: 2, more: true, nextDueAt: sharp - 1 - 270 });
    expect(await tasks.idsIn('pending')).toEqual(['t29', 't28']);
  });

  it('Q-25 moves a task at its millisecond, neither before nor after', async (tasks) => {
    await tasks.enqueue(later('a', at(250)));
    expect(await forward(tasks, sharp + 249)).toEqual({ forwarded: 0, more: false, nextDueAt: sharp + 250 });
    expect(await forward(tasks, sharp + 250)).toEqual({ forwarded: 1, more: false, nextDueAt: undefined });
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('Q-25 does not move a task before its fraction of a millisecond', async (tasks) => {
    await tasks.enqueue(later('a', at(250.4)));
    expect(await forward(tasks, sharp + 250)).toEqual({ forwarded: 0, more: false, nextDueAt: sharp + 251 });
    expect(await forward(tasks, sharp + 251)).toMatchObject({ forwarded: 1 });
  });

  it('forgets the due time of an earlier wait', async (tasks) => {
    await tasks.enqueue(later('a', at(-500)));
    await forward(tasks);
    await tasks.dequeue();
    await tasks.settle({ kind: 'snooze', message: tasks.message(), until: at(9_000) });
    expect(await forward(tasks)).toEqual({ forwarded: 0, more: false, nextDueAt: sharp + 9_000 });
  });

  it('P-50 P-51 S-109 Q-10 puts a task of a group into its group and lists the group', async (tasks) => {
    // Grouped, collected, combined to no end: its record names the group, and a tool made it wait.
    await tasks.enqueue(grouped('a', 'g:1'));
    await tasks.probe.takeOut('g:g:1', 'a');
    await tasks.probe.putIn('retry', ['a'], nowSeconds - 60);
    expect(await forward(tasks, sharp + 999)).toMatchObject({ forwarded: 1 });
    expect(await tasks.placesOf('a')).toEqual(['g:g:1']);
    expect(await tasks.probe.secondOf('g:g:1', 'a')).toBe(nowSeconds);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g:1']);
    expect(await tasks.stateOf('a')).toBe('aggregating');
  });

  it('P-53 D-S3 Q-09 puts a delayed task into its group at its time', async (tasks) => {
    await tasks.enqueue(later('a', at(0), { group: 'g' }));
    await forward(tasks);
    expect(await tasks.placesOf('a')).toEqual(['g:g']);
    expect(await tasks.task('a')).toMatchObject({ state: 'aggregating', group: 'g' });
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
  });

  it('retries a grouped task alone if it ran alone', async (tasks) => {
    await tasks.enqueue({ id: 'a', group: 'g' });
    await tasks.dequeue();
    await tasks.settle({ kind: 'retry', message: tasks.message({ group: 'g' }), retryAt: at(0), counts: 'not' });
    await forward(tasks);
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('P-54 Q-30 forwards while the queue is paused', async (tasks) => {
    await tasks.probe.pause();
    await tasks.enqueue(later('a', at(0)));
    expect(await forward(tasks)).toMatchObject({ forwarded: 1 });
    await tasks.probe.resume();
  });

  it('Q-21 drops an id without a task and creates no stub', async (tasks) => {
    await tasks.probe.putIn('scheduled', ['gone'], nowSeconds);
    await tasks.probe.putIn('retry', ['gone-too'], nowSeconds);
    await tasks.enqueue(later('a', at(0)));
    expect(await forward(tasks)).toEqual({ forwarded: 1, more: false, nextDueAt: undefined });
    expect(await tasks.placesOf('gone')).toEqual([]);
    expect(await tasks.placesOf('gone-too')).toEqual([]);
    expect(await tasks.probe.taskIds()).toEqual(['a']);
  });

  it('P-49 S-107 moves thousands of due tasks, a bounded number at a time, in order', async (tasks) => {
    const all = ids(3_000);
    for (let start = 0; start < all.length; start += 1_000) {
      const some = all.slice(start, start + 1_000);
      await tasks.enqueueAt(at(-10_000_000), ...some.map((id, i) => later(id, at(-9_000_000 + (start + i) * 700))));
    }
    const calls: number[] = [];
    for (let more = true; more;) {
      const result = await forward(tasks, sharp, 5_000);
      calls.push(result.forwarded);
      ({ more } = result);
    }
    expect(calls).toEqual([500, 500, 500, 500, 500, 500]);
    expect(await tasks.idsIn('pending')).toEqual(all);
  });

  it('applies the outcome of a cancellation that a worker of another kind turned into a retry', async (tasks) => {
    const everyEnd = ['archive', 'delete', 'retry'] as const;
    await tasks.running(...everyEnd.map((id) => ({ id, uniqueKey: tasks.lockName(id), uniqueForSeconds: 60 })));
    for (const outcome of everyEnd) {
      await tasks.cancel(outcome, outcome);
      await tasks.probe.takeOut('active', outcome);
      await tasks.probe.takeOut('lease', outcome);
      await tasks.probe.putIn('retry', [outcome], nowSeconds);
    }
    expect(await forward(tasks, sharp + 999)).toMatchObject({ forwarded: 1 });
    expect(await tasks.placesOf('archive')).toEqual(['archived']);
    expect(await tasks.probe.secondOf('archived', 'archive')).toBe(nowSeconds);
    expect(await tasks.task('archive')).toMatchObject({ state: 'archived', canceled: undefined });
    expect(await tasks.placesOf('retry')).toEqual(['pending']);
    expect(await tasks.task('retry')).toMatchObject({ state: 'pending', canceled: undefined });
    expect(await tasks.probe.taskIds()).toEqual(['archive', 'retry']);
    const holders = await Promise.all(
      everyEnd.map(async (outcome) => (await tasks.probe.lock(tasks.lockName(outcome)))?.holder),
    );
    expect(holders).toEqual(['archive', undefined, 'retry']);
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  it('wakes workers when the queue was empty, and only then', async (tasks) => {
    await tasks.enqueue(later('first', at(0)), later('second', at(1)));
    const heard = await tasks.listen();
    await forward(tasks);
    await forward(tasks, sharp + 1);
    expect(await heard.everything()).toEqual(['wake']);
  });

  it('forwards a task once, however many callers ask at the same time', async (tasks) => {
    await tasks.enqueue(...ids(50).map((id) => later(id, at(0))));
    const request = { queue: tasks.queue, now: sharp, limit: 20 };
    const results = await Promise.all(
      [tasks.broker, tasks.other, tasks.broker, tasks.other].map(
        async ({ maintenance }) => await maintenance.forwardDue(request),
      ),
    );
    expect(results.reduce((sum, { forwarded }) => sum + forwarded, 0)).toBe(50);
    expect([...(await tasks.idsIn('pending'))].toSorted()).toEqual(ids(50).toSorted());
  });
});
