import type { EnqueuePlace } from '../../lib/model/broker/enqueue.contract.js';
import { epochMs } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { collect, givenGroup } from './given-group.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, grouped, nowSeconds, sharp } from './task-words.js';

const read = async (tasks: QueueUnderTest, setId: string) =>
  await tasks.broker.maintenance.readAggregationSet({ queue: tasks.queue, group: 'g', setId, now: sharp });
const remove = async (tasks: QueueUnderTest, setId: string) =>
  await tasks.broker.maintenance.deleteAggregationSet({ queue: tasks.queue, group: 'g', setId });
const giveBack = async (tasks: QueueUnderTest, setId: string) =>
  await tasks.broker.maintenance.returnAggregationSet({ queue: tasks.queue, group: 'g', setId });
const reclaim = async (tasks: QueueUnderTest, at: number) =>
  await tasks.broker.maintenance.reclaimAggregationSets({ queue: tasks.queue, now: epochMs(at) });

export const aggregating = chapter('aggregation sets', (it) => {
  it('Q-12 S-117 reads the members oldest first and skips those whose task is gone', async (tasks) => {
    await givenGroup(tasks, [80, 90, 70]);
    const setId = await collect(tasks);
    await tasks.probe.loseTask('m0');
    const set = await read(tasks, setId);
    expect(set?.messages).toEqual(['m1', 'm2'].map((id) => tasks.message({ id, group: 'g' })));
    expect(set?.expiresAt).toBe(sharp + 120_000);
    expect(set?.undecodable).toEqual([]);
  });

  it('reads a set of more than a thousand members completely', async (tasks) => {
    const members = Array.from({ length: 1_200 }, (_, i) => `m${String(i).padStart(4, '0')}`);
    await tasks.enqueueAt(epochMs(sharp - 100_000), ...members.map((id) => grouped(id, 'g')));
    const set = await read(tasks, await collect(tasks));
    expect(set?.messages.map(({ id }) => id)).toEqual(members);
  });

  it('returns nothing for a set that never existed', async (tasks) => {
    expect(await read(tasks, 'never')).toBeUndefined();
    await remove(tasks, 'never');
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  it('P-99 P-103 deletes a set with its tasks, and leaves their locks', async (tasks) => {
    const lock = { uniqueKey: tasks.lockName(), uniqueForSeconds: 600 };
    await tasks.enqueueAt(epochMs(sharp - 90_000), grouped('m0', 'g', lock), grouped('m1', 'g'));
    const setId = await collect(tasks);
    await remove(tasks, setId);
    expect(await tasks.probe.taskIds()).toEqual([]);
    expect(await tasks.probe.aggregationSets()).toEqual(new Map());
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('m0');
    expect(await read(tasks, setId)).toBeUndefined();
  });

  it('P-100 P-101 S-91 S-92 Q-11 returns an old set to its group with the old scores and lists the group', async (tasks) => {
    await givenGroup(tasks, [90, 80]);
    const setId = await collect(tasks);
    await tasks.enqueueAt(sharp, grouped('new', 'g'));
    expect(await reclaim(tasks, sharp + 119_999)).toBe(0);
    expect((await read(tasks, setId))?.messages).toHaveLength(2);
    expect(await reclaim(tasks, sharp + 120_000)).toBe(1);
    expect(await tasks.idsIn('g:g')).toEqual(['m0', 'm1', 'new']);
    const seconds = await Promise.all(['m0', 'm1', 'new'].map(async (id) => await tasks.probe.secondOf('g:g', id)));
    expect(seconds).toEqual([nowSeconds - 90, nowSeconds - 80, nowSeconds]);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
    expect(await tasks.probe.aggregationSets()).toEqual(new Map());
    expect(await read(tasks, setId)).toBeUndefined();
    expect(await reclaim(tasks, sharp + 120_000)).toBe(0);
  });

  it('P-100 keeps the older time of a member that is already in its group', async (tasks) => {
    await givenGroup(tasks, [90, 80]);
    await collect(tasks);
    await tasks.probe.putIn('g:g', ['m0'], nowSeconds - 10);
    await tasks.probe.putIn('g:g', ['m1'], nowSeconds - 100);
    await reclaim(tasks, sharp + 120_000);
    expect(await tasks.probe.secondOf('g:g', 'm0')).toBe(nowSeconds - 90);
    expect(await tasks.probe.secondOf('g:g', 'm1')).toBe(nowSeconds - 100);
  });

  it('deletes nothing when the set has returned to its group', async (tasks) => {
    await givenGroup(tasks, [90]);
    const setId = await collect(tasks);
    await reclaim(tasks, sharp + 120_000);
    await remove(tasks, setId);
    expect(await tasks.placesOf('m0')).toEqual(['g:g']);
    expect(await tasks.stateOf('m0')).toBe('aggregating');
  });

  it('P-102 Q-13 returns a set of a group whose name has colons and looks like a set itself', async (tasks) => {
    const group = 'a:b:8f14e45f-ceea-4e7a-9c1d-2f2a8f0e6b11';
    await givenGroup(tasks, [90], group);
    await collect(tasks, { group });
    expect(await reclaim(tasks, sharp + 120_000)).toBe(1);
    expect(await tasks.placesOf('m0')).toEqual([`g:${group}`]);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual([group]);
  });

  it('keeps a task whose id was used again since it left the set', async (tasks) => {
    await givenGroup(tasks, [90]);
    const setId = await collect(tasks);
    await tasks.probe.loseTask('m0');
    await tasks.enqueue({ id: 'm0' });
    await remove(tasks, setId);
    expect(await tasks.placesOf('m0')).toEqual(['pending']);
    expect(await tasks.stateOf('m0')).toBe('pending');
  });
});

export const finishingAggregations = chapter('finishing an aggregation', (it) => {
  interface Combined {
    readonly id?: string;
    readonly place?: EnqueuePlace;
    readonly uniqueKey?: string;
    readonly group?: string;
    readonly idIsGenerated?: boolean;
  }
  const finish = async (tasks: QueueUnderTest, setId: string, { uniqueKey = '', ...wanted }: Combined = {}) => {
    const uniqueForSeconds = uniqueKey === '' ? 0 : 60;
    const combined = tasks.request({ id: 'combined', type: 'digest', ...wanted, uniqueKey, uniqueForSeconds });
    return await tasks.broker.maintenance.finishAggregation({
      queue: tasks.queue,
      group: 'g',
      setId,
      combined,
      locks: [],
      now: sharp,
    });
  };
  const givenSet = async (tasks: QueueUnderTest): Promise<string> => {
    await givenGroup(tasks, [90, 80]);
    return await collect(tasks);
  };

  it('P-99 D-S19 Q-15 stores the combined task and deletes the set in one step', async (tasks) => {
    const setId = await givenSet(tasks);
    expect(await finish(tasks, setId)).toBe('finished');
    expect(await tasks.placesOf('combined')).toEqual(['pending']);
    expect(await tasks.task('combined')).toMatchObject({ state: 'pending', pendingSince: sharp });
    expect(await tasks.probe.taskIds()).toEqual(['combined']);
    expect(await tasks.probe.aggregationSets()).toEqual(new Map());
    expect(await read(tasks, setId)).toBeUndefined();
  });

  it('wakes workers for the combined task', async (tasks) => {
    const setId = await givenSet(tasks);
    const heard = await tasks.listen();
    await finish(tasks, setId);
    expect(await heard.everything()).toEqual(['wake']);
  });

  it('stores nothing when the set has returned to its group or was finished before', async (tasks) => {
    const setId = await givenSet(tasks);
    expect(await reclaim(tasks, sharp + 120_000)).toBe(1);
    expect(await finish(tasks, setId)).toBe('gone');
    expect(await tasks.probe.taskIds()).toEqual(['m0', 'm1']);
    expect(await tasks.placesOf('m0')).toEqual(['g:g']);
    const again = await collect(tasks);
    expect(await finish(tasks, again)).toBe('finished');
    expect(await finish(tasks, again, { id: 'another' })).toBe('gone');
    expect(await tasks.probe.taskIds()).toEqual(['combined']);
  });

  it('changes nothing when the id of the combined task is taken', async (tasks) => {
    const setId = await givenSet(tasks);
    await tasks.enqueue({ id: 'combined' });
    expect(await finish(tasks, setId)).toBe('id-conflict');
    expect((await read(tasks, setId))?.messages).toHaveLength(2);
    expect(await tasks.idsIn('pending')).toEqual(['combined']);
  });

  it('changes nothing when another task holds the lock of the combined task', async (tasks) => {
    const setId = await givenSet(tasks);
    await tasks.enqueue({ id: 'other', uniqueKey: tasks.lockName(), uniqueForSeconds: 60 });
    expect(await finish(tasks, setId, { uniqueKey: tasks.lockName() })).toBe('duplicate');
    expect((await read(tasks, setId))?.messages).toHaveLength(2);
    expect(await tasks.idsIn('pending')).toEqual(['other']);
  });

  it('delays a combined task, or puts it into a group, and keeps its lock', async (tasks) => {
    const place = { kind: 'scheduled', processAt: after(60_000) } as const;
    const uniqueKey = tasks.lockName();
    expect(await finish(tasks, await givenSet(tasks), { place, uniqueKey })).toBe('finished');
    expect(await tasks.placesOf('combined')).toEqual(['scheduled']);
    expect((await tasks.probe.lock(uniqueKey))?.holder).toBe('combined');
    const again = { id: 'more', group: 'g', place: { kind: 'aggregating' } } as const;
    expect(await finish(tasks, await givenSet(tasks), again)).toBe('finished');
    expect(await tasks.idsIn('g:g')).toEqual(['more']);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
  });

  it('keeps a task whose id was used again since it left the set, and the locks of members', async (tasks) => {
    const lock = { uniqueKey: tasks.lockName(), uniqueForSeconds: 600 };
    await tasks.enqueueAt(epochMs(sharp - 90_000), grouped('m0', 'g'), grouped('m1', 'g', lock));
    const setId = await collect(tasks);
    await tasks.probe.loseTask('m0');
    await tasks.enqueue({ id: 'm0' });
    expect(await finish(tasks, setId)).toBe('finished');
    expect(await tasks.stateOf('m0')).toBe('pending');
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('m1');
  });

  it('stores the combined task even if the tasks of all members are gone', async (tasks) => {
    const setId = await givenSet(tasks);
    for (const id of ['m0', 'm1']) await tasks.probe.loseTask(id);
    expect(await read(tasks, setId)).toMatchObject({ messages: [], undecodable: [] });
    expect(await finish(tasks, setId)).toBe('finished');
    expect(await tasks.probe.aggregationSets()).toEqual(new Map());
  });

  it('deletes a set of thousands of tasks', async (tasks) => {
    for (let i = 0; i < 2; i++) {
      const some = Array.from({ length: 1_100 }, (_, at) => grouped(`m${i}-${at}`, 'g'));
      await tasks.enqueueAt(epochMs(sharp - 90_000), ...some);
    }
    expect(await finish(tasks, await collect(tasks))).toBe('finished');
    expect(await tasks.probe.taskIds()).toEqual(['combined']);
  });

  it('returns a set to its group before its deadline, once', async (tasks) => {
    const setId = await givenSet(tasks);
    await giveBack(tasks, setId);
    await giveBack(tasks, setId);
    expect(await tasks.idsIn('g:g')).toEqual(['m0', 'm1']);
    expect(await tasks.probe.secondOf('g:g', 'm0')).toBe(nowSeconds - 90);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
    expect(await tasks.probe.aggregationSets()).toEqual(new Map());
    expect(await finish(tasks, setId)).toBe('gone');
  });
});
