import type { DroppedFrom } from '../../lib/model/broker/storage-notice.js';
import { addMs, epochMs, ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { collect } from './given-group.js';
import type { QueueUnderTest } from './queue-under-test.js';
import type { Place } from './storage-probe.js';
import { after, grouped, ids, later, nowSeconds, sharp } from './task-words.js';

const ghosts = ids(3);
const longAgo = nowSeconds - 91 * 86_400;

export const losingTasks = chapter('ids whose task is gone', (it) => {
  /** What becomes of a queue: how many ids were dropped from where. */
  const dropped = async (tasks: QueueUnderTest, act: () => Promise<unknown>): Promise<Record<string, number>> => {
    const counts: Partial<Record<DroppedFrom, number>> = {};
    const stop = tasks.broker.onNotice((notice) => {
      if (notice.kind !== 'dropped' || notice.queue !== tasks.queue) return;
      counts[notice.from] = (counts[notice.from] ?? 0) + notice.count;
    });
    await act();
    stop();
    return counts;
  };
  const forward = async (tasks: QueueUnderTest) =>
    await tasks.broker.maintenance.forwardDue({ queue: tasks.queue, now: sharp, limit: 100 });
  const listLeases = async (tasks: QueueUnderTest) =>
    await tasks.broker.maintenance.listExpiredLeases({ queue: tasks.queue, expiredBy: sharp, now: sharp, limit: 100 });
  const expire = async (tasks: QueueUnderTest) =>
    await tasks.broker.maintenance.deleteExpiredCompleted({ queue: tasks.queue, now: sharp, limit: 100 });
  const aSet = async (tasks: QueueUnderTest): Promise<string> => {
    await tasks.enqueueAt(epochMs(sharp - 90_000), ...ghosts.map((id) => grouped(id, 'g')));
    const setId = await collect(tasks);
    for (const id of ghosts) await tasks.probe.loseTask(id);
    return setId;
  };

  it('are counted when dropped from pending', async (tasks) => {
    await tasks.probe.putIn('pending', ghosts, 0);
    await tasks.enqueue({ id: 'a' });
    const act = async () => expect((await tasks.dequeue(10)).messages.map(({ id }) => id)).toEqual(['a']);
    expect(await dropped(tasks, act)).toEqual({ pending: 3 });
    expect(await dropped(tasks, async () => await tasks.dequeue(10))).toEqual({});
  });

  it('are counted when dropped from pending by a server that checks types first', async (tasks) => {
    await tasks.probe.putIn('pending', ghosts, 0);
    await tasks.enqueue({ id: 'a', type: 'a' }, { id: 'b', type: 'b' });
    const act = async () => expect((await tasks.dequeueKnown(10, ['b'])).messages.map(({ id }) => id)).toEqual(['b']);
    expect(await dropped(tasks, act)).toEqual({ pending: 3 });
    expect(await tasks.idsIn('pending')).toEqual(['a']);
  });

  it('are counted separately when dropped from scheduled and retry', async (tasks) => {
    await tasks.probe.putIn('scheduled', ghosts, nowSeconds - 5);
    await tasks.probe.putIn('retry', ['x', 'y'], nowSeconds - 5);
    expect(await dropped(tasks, async () => await forward(tasks))).toEqual({ scheduled: 3, retry: 2 });
    expect(await dropped(tasks, async () => await forward(tasks))).toEqual({});
  });

  it('are counted separately even if they were due between two seconds', async (tasks) => {
    const due = addMs(sharp, ms(-500));
    await tasks.enqueue(later('a', due), later('b', due));
    const message = await tasks.one({ id: 'c' });
    await tasks.settle({ kind: 'retry', message, retryAt: due, counts: 'not' });
    for (const id of ['a', 'b', 'c']) await tasks.probe.loseTask(id);
    expect(await dropped(tasks, async () => await forward(tasks))).toEqual({ scheduled: 2, retry: 1 });
  });

  it('are counted once when dropped from lease and active', async (tasks) => {
    await tasks.expired(5, ...ghosts.map((id) => ({ id })));
    for (const id of ghosts) await tasks.probe.loseTask(id);
    expect(await dropped(tasks, async () => await listLeases(tasks))).toEqual({ lease: 3 });
    expect([await tasks.idsIn('active'), await tasks.idsIn('lease')]).toEqual([[], []]);
  });

  it('are counted when dropped with an aggregation set of which one task is left', async (tasks) => {
    const setId = await aSet(tasks);
    const set: Place = `g:g:${setId}`;
    await tasks.enqueueAt(epochMs(sharp - 90_000), grouped('a', 'h'));
    await tasks.probe.putIn(set, ['a'], nowSeconds - 90);
    const combined = tasks.request({ id: 'combined' });
    const finishing = { queue: tasks.queue, group: 'g', setId, combined, locks: [], now: sharp };
    const act = async () => expect(await tasks.broker.maintenance.finishAggregation(finishing)).toBe('finished');
    expect(await dropped(tasks, act)).toEqual({ group: 3 });
  });

  it('are counted when dropped with an aggregation set of which no task is left', async (tasks) => {
    const set = { queue: tasks.queue, group: 'g', setId: await aSet(tasks) };
    const act = async () => await tasks.broker.maintenance.deleteAggregationSet(set);
    expect(await dropped(tasks, act)).toEqual({ group: 3 });
    expect(await dropped(tasks, act)).toEqual({});
  });

  it('are counted when dropped from completed along with expired tasks', async (tasks) => {
    const message = await tasks.one();
    await tasks.settle({ kind: 'complete', message, expiresAt: sharp, result: undefined });
    await tasks.probe.putIn('completed', ghosts, nowSeconds - 5);
    expect(await dropped(tasks, async () => expect(await expire(tasks)).toBe(4))).toEqual({ completed: 3 });
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  for (const [name, archive] of [
    ['a run', async (tasks) => await tasks.settle({ kind: 'archive', message: await tasks.one() })],
    [
      'a cancellation',
      async (tasks) => {
        await tasks.enqueue({ id: 'a' });
        await tasks.cancel('a', 'archive');
      },
    ],
    [
      'an aggregation',
      async (tasks) => {
        await tasks.enqueueAt(epochMs(sharp - 90_000), grouped('a', 'g'));
        await tasks.probe.replaceRecord('a', Buffer.from([0x0a, 0xff]));
        const set = { queue: tasks.queue, group: 'g', setId: await collect(tasks), now: sharp };
        await tasks.broker.maintenance.readAggregationSet(set);
      },
    ],
  ] satisfies readonly (readonly [string, (tasks: QueueUnderTest) => Promise<unknown>])[]) {
    it(`are counted when trimmed from the archive by ${name}`, async (tasks) => {
      await tasks.probe.putIn('archived', ghosts, longAgo);
      expect(await dropped(tasks, async () => await archive(tasks))).toEqual({ archived: 3 });
      expect(await tasks.idsIn('archived')).toEqual(['a']);
    });
  }

  it('are dropped without deleting a task that is now elsewhere', async (tasks) => {
    await tasks.enqueue({ id: 'stale', uniqueKey: tasks.lockName(), uniqueForSeconds: 60 });
    await tasks.probe.putIn('archived', ['stale'], longAgo);
    const act = async () => {
      await tasks.enqueue(later('a', after(60_000)));
      await tasks.cancel('a', 'archive');
    };
    expect(await dropped(tasks, act)).toEqual({});
    expect(await tasks.idsIn('archived')).toEqual(['a']);
    expect(await tasks.stateOf('stale')).toBe('pending');
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('stale');
  });

  it('are counted by the thousand, and the task behind them is found', async (tasks) => {
    const many = ids(2_500);
    await tasks.probe.putIn('pending', many, 0);
    await tasks.probe.putIn('scheduled', many, nowSeconds - 5);
    // Dequeueing forgets the lease of what it finds gone.
    await tasks.probe.putIn(
      'lease',
      many.map((id) => `leased ${id}`),
      nowSeconds - 60,
    );
    await tasks.probe.putIn('g:g', many, nowSeconds - 90);
    await tasks.enqueue({ id: 'a' });
    const counts = await dropped(tasks, async () => {
      while ((await tasks.dequeue(100)).messages.length === 0);
      while ((await tasks.broker.maintenance.forwardDue({ queue: tasks.queue, now: sharp, limit: 1_000 })).more);
      for (let i = 0; i < 5; i++) await listLeases(tasks);
      await tasks.broker.maintenance.deleteAggregationSet({
        queue: tasks.queue,
        group: 'g',
        setId: await collect(tasks),
      });
    });
    expect(counts).toEqual({ pending: 2_500, scheduled: 2_500, lease: 2_500, group: 2_500 });
    expect(await tasks.stateOf('a')).toBe('active');
  });
});
