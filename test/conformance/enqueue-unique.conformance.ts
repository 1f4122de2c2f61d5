import { ms } from '../../lib/model/time/duration.js';
import { until } from '../support/until.js';
import { chapter } from './chapter.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, grouped, later, nowSeconds, type Wanted } from './task-words.js';

export const enqueueingUnique = chapter('enqueueing under a unique lock', (it) => {
  const unique = (tasks: QueueUnderTest, id: string, fields: Wanted = {}): Wanted => ({
    uniqueKey: tasks.lockName(),
    uniqueForSeconds: 60,
    ...fields,
    id,
  });
  const kinds: readonly (readonly [string, (id: string, fields: Wanted) => Wanted])[] = [
    ['pending', (id, fields) => ({ ...fields, id })],
    ['scheduled', (id, fields) => later(id, after(3_600_000), fields)],
    ['grouped', (id, fields) => grouped(id, 'g', fields)],
  ];

  it('P-25 holds the lock for the requested whole seconds, in the name of the task', async (tasks) => {
    expect(await tasks.enqueue(unique(tasks, 'a'))).toEqual(['enqueued']);
    const lock = await tasks.probe.lock(tasks.lockName());
    expect(lock?.holder).toBe('a');
    expect(lock?.ttl).toBeGreaterThan(55_000);
    expect(lock?.ttl).toBeLessThanOrEqual(60_000);
  });

  it('P-26 locks a scheduled task for the requested time, waiting time included', async (tasks) => {
    await tasks.enqueue(later('a', after(3_600_000), unique(tasks, 'a', { uniqueForSeconds: 3_660 })));
    const lock = await tasks.probe.lock(tasks.lockName());
    expect(lock?.ttl).toBeGreaterThan(3_655_000);
    expect(lock?.ttl).toBeLessThanOrEqual(3_660_000);
  });

  for (const [state, kind] of kinds) {
    it(`P-37 P-11 P-45 P-93 names the lock in the record of a ${state} task, so that an inspector can free it`, async (tasks) => {
      await tasks.enqueue(kind('a', unique(tasks, 'a')));
      expect((await tasks.task('a')).lock).toBe(tasks.lockName());
      expect((await tasks.stored('a')).uniqueKey).toBe(tasks.lockName());
    });

    it(`P-38 P-93 refuses an equal ${state} task and leaves the lock unchanged`, async (tasks) => {
      await tasks.enqueue(kind('a', unique(tasks, 'a')));
      await tasks.probe.setLock(tasks.lockName(), { holder: 'a', ttl: ms(17_000) });
      expect(await tasks.enqueue(kind('b', unique(tasks, 'b')))).toEqual(['duplicate']);
      const lock = await tasks.probe.lock(tasks.lockName());
      expect(lock?.holder).toBe('a');
      expect(lock?.ttl).toBeLessThanOrEqual(17_000);
      expect(await tasks.probe.taskIds()).toEqual(['a']);
      expect(await tasks.placesOf('b')).toEqual([]);
    });
  }

  it('P-38 refuses the second of two equal tasks of one batch', async (tasks) => {
    const outcomes = await tasks.enqueue(unique(tasks, 'a'), unique(tasks, 'b'), { id: 'c' });
    expect(outcomes).toEqual(['enqueued', 'duplicate', 'enqueued']);
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('a');
  });

  it('accepts an equal task once the lock has expired', async (tasks) => {
    await tasks.enqueue(unique(tasks, 'a'));
    await tasks.probe.setLock(tasks.lockName(), { holder: 'a', ttl: ms(1) });
    await until('the lock is gone', async () => (await tasks.probe.lock(tasks.lockName())) === undefined);
    expect(await tasks.enqueue(unique(tasks, 'b'))).toEqual(['enqueued']);
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('b');
  });

  it('accepts an equal task that asks for no lock', async (tasks) => {
    await tasks.enqueue(unique(tasks, 'a'));
    expect(await tasks.enqueue(unique(tasks, 'b', { uniqueForSeconds: 0 }))).toEqual(['enqueued']);
    expect((await tasks.task('b')).lock).toBeUndefined();
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('a');
  });

  it('P-39 reports a duplicate when both lock and id are taken', async (tasks) => {
    await tasks.enqueue(unique(tasks, 'a'), { id: 'b' });
    expect(await tasks.enqueue(unique(tasks, 'b'))).toEqual(['duplicate']);
  });

  it('P-39 reports a duplicate when the id itself holds the lock', async (tasks) => {
    await tasks.enqueue(unique(tasks, 'a'));
    expect(await tasks.enqueue(unique(tasks, 'a'))).toEqual(['duplicate']);
  });

  it('P-40 leaves no lock behind when the id is taken', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    expect(await tasks.enqueue(unique(tasks, 'a'))).toEqual(['id-conflict']);
    expect(await tasks.probe.lock(tasks.lockName())).toBeUndefined();
  });

  it('treats a lock held by its own id as an earlier attempt that succeeded, but only for an id of this process', async (tasks) => {
    await tasks.enqueue(unique(tasks, 'a', { idIsGenerated: true }));
    const outcomes = await tasks.enqueue(
      unique(tasks, 'a', { idIsGenerated: true }),
      unique(tasks, 'b', { idIsGenerated: true }),
      unique(tasks, 'a'),
    );
    expect(outcomes).toEqual(['enqueued', 'duplicate', 'duplicate']);
    expect(await tasks.idsIn('pending')).toEqual(['a']);
  });

  it('locks nothing outside the queue, whatever the record says', async (tasks) => {
    const other = await tasks.sibling();
    const wanted = { id: 'a', uniqueKey: other.lockName(), uniqueForSeconds: 60 };
    expect(await tasks.enqueue(wanted)).toEqual(['enqueued']);
    expect(await other.probe.lock(other.lockName())).toBeUndefined();
    expect(await other.enqueue({ ...wanted, id: 'b' })).toEqual(['enqueued']);
  });
});

export const enqueueingGrouped = chapter('enqueueing into a group', (it) => {
  it('P-92 P-11 puts a grouped task into its group, at the current second', async (tasks) => {
    expect(await tasks.enqueue(grouped('a', 'g'))).toEqual(['enqueued']);
    expect(await tasks.task('a')).toMatchObject({ state: 'aggregating', group: 'g', pendingSince: undefined });
    expect(await tasks.probe.secondOf('g:g', 'a')).toBe(nowSeconds);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
    expect(await tasks.placesOf('a')).toEqual(['g:g']);
    expect((await tasks.stored('a')).group).toBe('g');
  });

  it('P-36 P-20 refuses the id of a grouped task, and registers its queue', async (tasks) => {
    await tasks.enqueue(grouped('a', 'g'));
    expect(await tasks.probe.isKnown()).toBe(true);
    expect(await tasks.enqueue(grouped('a', 'h'))).toEqual(['id-conflict']);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
  });

  it('keeps groups apart, whatever their names', async (tasks) => {
    const names = ['g', 'g:h', '__proto__', 'ü {x}', ' '];
    await tasks.enqueue(...names.map((group, i) => grouped(`id-${i}`, group)));
    for (const [i, group] of names.entries()) expect(await tasks.idsIn(`g:${group}`)).toEqual([`id-${i}`]);
    expect([...(await tasks.broker.maintenance.listGroups(tasks.queue))].toSorted()).toEqual(names.toSorted());
  });

  it('is not dequeued', async (tasks) => {
    await tasks.enqueue(grouped('a', 'g'));
    expect((await tasks.dequeue()).messages).toEqual([]);
  });
});
