import { epochMs, ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { checkGroup, collect, givenGroup } from './given-group.js';
import { grouped, nowSeconds, sharp } from './task-words.js';

export const collectingGroups = chapter('collecting groups', (it) => {
  it('lists the groups that have waiting tasks', async (tasks) => {
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual([]);
    await tasks.enqueue(grouped('1', 'a'), grouped('2', 'b:1'), grouped('3', 'ü'), grouped('4', 'a'));
    expect([...(await tasks.broker.maintenance.listGroups(tasks.queue))].toSorted()).toEqual(['a', 'b:1', 'ü']);
  });

  it('P-94 takes exactly the oldest maxSize members and leaves the rest listed', async (tasks) => {
    await givenGroup(tasks, [5, 40, 30, 20, 10]);
    const setId = await collect(tasks, { maxSize: 3 });
    expect(await tasks.idsIn(`g:g:${setId}`)).toEqual(['m1', 'm2', 'm3']);
    expect(await tasks.idsIn('g:g')).toEqual(['m4', 'm0']);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
  });

  it('P-94 takes part of a group of thousands', async (tasks) => {
    for (let i = 0; i < 3; i++) {
      const some = Array.from({ length: 1_000 }, (_, at) => grouped(`m${i * 1_000 + at}`, 'g'));
      await tasks.enqueueAt(epochMs(sharp - (10 - i) * 1_000), ...some);
    }
    const setId = await collect(tasks, { maxSize: 2_500 });
    expect(await tasks.idsIn(`g:g:${setId}`)).toHaveLength(2_500);
    expect(await tasks.idsIn('g:g')).toHaveLength(500);
    expect(await tasks.placesOf('m0')).toEqual([`g:g:${setId}`]);
  });

  it('P-96 takes 5,000 members at most, and the rest with the next call', async (tasks) => {
    const ids = Array.from({ length: 5_200 }, (_, at) => `m${String(at).padStart(4, '0')}`);
    await tasks.enqueueAt(epochMs(sharp - 100_000), ...ids.map((id) => grouped(id, 'g')));
    for (const limits of [{}, { maxSize: 5_150 }]) {
      const setId = await collect(tasks, limits);
      expect(await tasks.idsIn(`g:g:${setId}`)).toEqual(ids.slice(0, 5_000));
      expect(await tasks.idsIn('g:g')).toEqual(ids.slice(5_000));
      expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
      await tasks.broker.maintenance.returnAggregationSet({ queue: tasks.queue, group: 'g', setId });
    }
  });

  for (const [what, ages, limits, isReady] of [
    ['the newest is as old as the grace period', [90, 60], { gracePeriod: 60_000 }, true],
    ['the newest is one second younger', [90, 59], { gracePeriod: 60_000 }, false],
    ['the oldest is as old as the longest delay', [120, 0], { maxDelay: 120_000 }, true],
    ['the oldest is one second younger', [119, 0], { maxDelay: 120_000 }, false],
    ['there is no longest delay', [100_000, 0], { maxDelay: 0 }, false],
    ['there are as many as the largest size', [1, 0], { maxSize: 2 }, true],
    ['there are fewer than the largest size', [1, 0], { maxSize: 3 }, false],
    ['there is no largest size', [1, 0], { maxSize: 0 }, false],
    ['a delay of less than a second has passed', [1, 0], { maxDelay: 100 }, true],
  ] as const) {
    it(`P-95 P-96 Q-16 Q-17 decides by size, delay and grace: ${what}`, async (tasks) => {
      const members = await givenGroup(tasks, ages);
      expect((await checkGroup(tasks, limits)).kind).toBe(isReady ? 'collected' : 'not-ready');
      expect(await tasks.idsIn('g:g')).toHaveLength(isReady ? 0 : members.length);
    });
  }

  it('P-97 P-98 gives the set a deadline and the old scores, and removes the group', async (tasks) => {
    await givenGroup(tasks, [90, 70]);
    const setId = await collect(tasks);
    expect(await tasks.probe.aggregationSets()).toEqual(new Map([[`g:g:${setId}`, nowSeconds + 120]]));
    expect(await tasks.probe.secondOf(`g:g:${setId}`, 'm0')).toBe(nowSeconds - 90);
    expect(await tasks.probe.secondOf(`g:g:${setId}`, 'm1')).toBe(nowSeconds - 70);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual([]);
    expect(await tasks.idsIn('g:g')).toEqual([]);
    expect(await tasks.stateOf('m0')).toBe('aggregating');
  });

  it('P-98 removes a group that has exactly the largest size', async (tasks) => {
    await givenGroup(tasks, [2, 1]);
    await collect(tasks, { maxSize: 2 });
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual([]);
  });

  it('Q-14 no longer lists a group that is empty, and leaves other groups', async (tasks) => {
    await tasks.enqueue(grouped('a', 'g'), grouped('b', 'other'));
    await tasks.probe.takeOut('g:g', 'a');
    expect(await checkGroup(tasks)).toEqual({ kind: 'not-ready', readyAt: undefined });
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['other']);
    expect(await checkGroup(tasks, { group: 'never-there' })).toMatchObject({ kind: 'not-ready' });
  });

  for (const [what, limits, inSeconds] of [
    ['the grace of the newest', { maxDelay: 0, gracePeriod: 60_000 }, 50],
    ['the delay of the oldest', { maxDelay: 40_000, gracePeriod: 60_000 }, 10],
  ] as const) {
    it(`tells when a group can be ready, by ${what}`, async (tasks) => {
      await givenGroup(tasks, [30, 10]);
      const readyAt = epochMs(sharp + inSeconds * 1_000);
      expect(await checkGroup(tasks, limits)).toEqual({ kind: 'not-ready', readyAt });
      expect(await checkGroup(tasks, { ...limits, at: epochMs(readyAt - 1) })).toMatchObject({ kind: 'not-ready' });
      expect(await checkGroup(tasks, { ...limits, at: readyAt })).toMatchObject({ kind: 'collected' });
    });
  }

  it('tells that a group without members will not be ready', async (tasks) => {
    expect(await checkGroup(tasks)).toEqual({ kind: 'not-ready', readyAt: undefined });
  });

  it('collects a group once, however many callers ask at the same time', async (tasks) => {
    await givenGroup(tasks, [90, 80]);
    const request = { queue: tasks.queue, group: 'g', now: sharp, maxSize: 0, maxDelay: ms(0), gracePeriod: ms(1_000) };
    const sets = await Promise.all(
      [tasks.broker, tasks.other].map(async ({ maintenance }) => await maintenance.collectGroup(request)),
    );
    expect(sets.map(({ kind }) => kind).toSorted()).toEqual(['collected', 'not-ready']);
  });

  it('keeps new tasks of a collected group apart from the set', async (tasks) => {
    await givenGroup(tasks, [90]);
    const first = await collect(tasks);
    await tasks.enqueueAt(epochMs(sharp - 70_000), grouped('new', 'g'));
    const second = await collect(tasks);
    expect(second).not.toBe(first);
    expect(await tasks.idsIn(`g:g:${first}`)).toEqual(['m0']);
    expect(await tasks.idsIn(`g:g:${second}`)).toEqual(['new']);
  });
});
