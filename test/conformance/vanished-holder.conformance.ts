import { epochMs } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { collect } from './given-group.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, grouped, later, now, sharp, type Wanted } from './task-words.js';

export const vanishedHolders = chapter('a unique lock whose holder has vanished', (it) => {
  const unique = (tasks: QueueUnderTest, id: string, fields: Wanted = {}): Wanted => ({
    uniqueKey: tasks.lockName(),
    uniqueForSeconds: 3_600,
    ...fields,
    id,
  });
  /** A task that held the lock and is gone without a trace. */
  const givenVanished = async (tasks: QueueUnderTest, id = 'gone', fields: Wanted = {}): Promise<void> => {
    await tasks.enqueue(unique(tasks, id, fields));
    await tasks.probe.loseTask(id);
    for (const place of await tasks.placesOf(id)) await tasks.probe.takeOut(place, id);
  };
  const holder = async (tasks: QueueUnderTest): Promise<string | undefined> =>
    (await tasks.probe.lock(tasks.lockName()))?.holder;
  const finish = async (tasks: QueueUnderTest, setId: string, combined: Wanted = {}) =>
    await tasks.broker.maintenance.finishAggregation({
      queue: tasks.queue,
      group: 'g',
      setId,
      combined: tasks.request({ type: 'digest', ...combined, id: 'combined' }),
      locks: [tasks.lockName()],
      now: sharp,
    });

  const kinds: readonly (readonly [string, (id: string, fields: Wanted) => Wanted])[] = [
    ['pending', (id, fields) => ({ ...fields, id })],
    ['scheduled', (id, fields) => later(id, after(3_600_000), fields)],
    ['grouped', (id, fields) => grouped(id, 'g', fields)],
  ];
  for (const [state, kind] of kinds) {
    it(`goes to an equal ${state} task, for the time that it requests`, async (tasks) => {
      await givenVanished(tasks);
      expect(await tasks.enqueue(kind('a', unique(tasks, 'a', { uniqueForSeconds: 60 })))).toEqual(['enqueued']);
      const lock = await tasks.probe.lock(tasks.lockName());
      expect(lock?.holder).toBe('a');
      expect(lock?.ttl).toBeLessThanOrEqual(60_000);
      expect((await tasks.task('a')).lock).toBe(tasks.lockName());
      expect(await tasks.enqueue(kind('b', unique(tasks, 'b')))).toEqual(['duplicate']);
    });

    it(`goes to an equal task when its holder was ${state} and the holder’s id is still in its place`, async (tasks) => {
      await tasks.enqueue(kind('gone', unique(tasks, 'gone')));
      await tasks.probe.loseTask('gone');
      expect(await tasks.enqueue(unique(tasks, 'a'))).toEqual(['enqueued']);
      expect(await holder(tasks)).toBe('a');
    });
  }

  it('goes to the first of two equal tasks of one batch', async (tasks) => {
    await givenVanished(tasks);
    const outcomes = await tasks.enqueue(unique(tasks, 'a'), { id: 'b' }, unique(tasks, 'c'));
    expect(outcomes).toEqual(['enqueued', 'enqueued', 'duplicate']);
    expect(await holder(tasks)).toBe('a');
  });

  it('goes to a task with the very id of its holder', async (tasks) => {
    for (const idIsGenerated of [false, true]) {
      await givenVanished(tasks, 'a');
      expect(await tasks.enqueue(unique(tasks, 'a', { idIsGenerated }))).toEqual(['enqueued']);
      expect(await tasks.probe.taskIds()).toEqual(['a']);
    }
  });

  it('stays unchanged when the id of the new task is taken', async (tasks) => {
    await givenVanished(tasks);
    await tasks.enqueue({ id: 'a' });
    expect(await tasks.enqueue(unique(tasks, 'a'))).toEqual(['id-conflict']);
    expect(await holder(tasks)).toBe('gone');
  });

  it('goes to the task of a tick', async (tasks) => {
    await givenVanished(tasks);
    const request = tasks.request(unique(tasks, 'a', { idIsGenerated: true }));
    const tick = { schedule: 's', tick: sharp, overlap: 'allow', request, now } as const;
    expect(await tasks.broker.schedules.enqueueTick(tick)).toBe('enqueued');
    expect(await holder(tasks)).toBe('a');
  });

  it('goes to the combined task of an aggregation', async (tasks) => {
    await givenVanished(tasks);
    await tasks.enqueueAt(epochMs(sharp - 90_000), grouped('m0', 'g'));
    const setId = await collect(tasks);
    expect(await finish(tasks, setId, { uniqueKey: tasks.lockName(), uniqueForSeconds: 60 })).toBe('finished');
    expect(await holder(tasks)).toBe('combined');
  });

  it('is not freed by a run of its old holder that ends late', async (tasks) => {
    const message = await tasks.one(unique(tasks, 'gone'));
    await tasks.probe.loseTask('gone');
    expect(await tasks.enqueue(unique(tasks, 'a'))).toEqual(['enqueued']);
    await tasks.settle({ kind: 'done', message });
    expect(await holder(tasks)).toBe('a');
  });

  it('P-85 refuses equal tasks as long as its holder runs, waits for a retry, or is archived', async (tasks) => {
    const refused = async (): Promise<void> =>
      expect(await tasks.enqueue(unique(tasks, 'twin'))).toEqual(['duplicate']);
    const message = await tasks.one(unique(tasks, 'a'));
    await refused();
    await tasks.settle({ kind: 'retry', message, retryAt: after(60_000), counts: 'as-failure' });
    await refused();
    await tasks.cancel('a', 'archive');
    expect(await tasks.stateOf('a')).toBe('archived');
    await refused();
  });

  it('P-103 Q-03 refuses equal tasks when its holder was not lost but aggregated', async (tasks) => {
    await tasks.enqueueAt(epochMs(sharp - 90_000), grouped('m0', 'g', unique(tasks, 'm0')), grouped('m1', 'g'));
    expect(await finish(tasks, await collect(tasks))).toBe('finished');
    const lock = await tasks.probe.lock(tasks.lockName());
    expect(lock?.holder).toBe('m0');
    expect(lock?.ttl).toBeGreaterThan(3_590_000);
    expect(await tasks.enqueue(unique(tasks, 'a'), grouped('b', 'g', unique(tasks, 'b')))).toEqual([
      'duplicate',
      'duplicate',
    ]);
    // Sent again because its answer was lost, and aggregated meanwhile: it was stored.
    expect(await tasks.enqueue(unique(tasks, 'm0', { idIsGenerated: true }))).toEqual(['enqueued']);
    expect(await tasks.probe.taskIds()).toEqual(['combined']);
  });

  it('stays unchanged when a set that does not hold it is finished', async (tasks) => {
    await givenVanished(tasks);
    await tasks.enqueueAt(epochMs(sharp - 90_000), grouped('m0', 'g'), grouped('gone', 'g'));
    await tasks.probe.loseTask('gone');
    expect(await finish(tasks, await collect(tasks))).toBe('finished');
    expect(await tasks.enqueue(unique(tasks, 'a'))).toEqual(['enqueued']);
  });

  it('goes to an equal task when its holder was deleted with its aggregation set', async (tasks) => {
    await tasks.enqueueAt(epochMs(sharp - 90_000), grouped('m0', 'g', unique(tasks, 'm0')));
    const setId = await collect(tasks);
    await tasks.broker.maintenance.deleteAggregationSet({ queue: tasks.queue, group: 'g', setId });
    expect(await tasks.enqueue(unique(tasks, 'a'))).toEqual(['enqueued']);
  });
});
