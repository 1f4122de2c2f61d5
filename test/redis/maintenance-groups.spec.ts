import { addMs, epochMs, fromEpochSeconds, ms } from '../../lib/model/time/duration.js';
import { aggregationSetKey, groupKey } from '../../lib/redis/keys.js';
import { noon, noonSeconds, SeededQueue } from './seeded-queue.js';

describe('aggregating groups', () => {
  let tasks: SeededQueue;
  beforeEach(() => {
    tasks = SeededQueue.open();
  });
  afterEach(async () => await tasks.close());

  const check = async (limits: { maxSize?: number; maxDelay?: number; gracePeriod?: number; group?: string } = {}) =>
    await tasks.maintenance.collectGroup({
      queue: tasks.queue,
      group: limits.group ?? 'g',
      now: noon,
      maxSize: limits.maxSize ?? 0,
      maxDelay: ms(limits.maxDelay ?? 0),
      gracePeriod: ms(limits.gracePeriod ?? 60_000),
    });
  const collect = async (limits: Parameters<typeof check>[0] = {}): Promise<string | undefined> => {
    const checked = await check(limits);
    return checked.kind === 'collected' ? checked.setId : undefined;
  };
  const read = async (setId: string, group = 'g') =>
    await tasks.maintenance.readAggregationSet({ queue: tasks.queue, group, setId, now: noon });

  /** Members of one group, the given seconds old. */
  const givenGroup = async (ages: readonly number[], group = 'g'): Promise<readonly string[]> => {
    const seeds = ages.map((age, i) => ({
      id: `m${i}`,
      state: 'aggregating' as const,
      group,
      score: noonSeconds - age,
    }));
    await tasks.given(...seeds);
    await tasks.redis.sadd(tasks.keys.groups, group);
    return seeds.map(({ id }) => id);
  };

  it('lists the groups that have waiting tasks', async () => {
    expect(await tasks.maintenance.listGroups(tasks.queue)).toEqual([]);
    await tasks.redis.sadd(tasks.keys.groups, 'a', 'b:1', 'ü');
    expect([...(await tasks.maintenance.listGroups(tasks.queue))].sort()).toEqual(['a', 'b:1', 'ü']);
  });

  it('P-94 takes exactly the oldest maxSize members and leaves the rest listed', async () => {
    await givenGroup([5, 40, 30, 20, 10]);
    const setId = await collect({ maxSize: 3 });
    expect(await tasks.redis.zrange(aggregationSetKey(tasks.keys, 'g', setId!), 0, '-1')).toEqual(['m1', 'm2', 'm3']);
    expect(await tasks.redis.zrange(groupKey(tasks.keys, 'g'), 0, '-1')).toEqual(['m4', 'm0']);
    expect(await tasks.redis.smembers(tasks.keys.groups)).toEqual(['g']);
  });

  it('P-94 takes a part of 3,000 members, which no single command could carry', async () => {
    await givenGroup(Array.from({ length: 3_000 }, (_, i) => 3_000 - i));
    const setId = await collect({ maxSize: 2_500 });
    expect(await tasks.redis.zcard(aggregationSetKey(tasks.keys, 'g', setId!))).toBe(2_500);
    expect(await tasks.redis.zcard(groupKey(tasks.keys, 'g'))).toBe(500);
    expect(await tasks.redis.zrange(groupKey(tasks.keys, 'g'), 0, '0')).toEqual(['m2500']);
  });

  it.each([
    ['the newest is as old as the grace period', [90, 60], { gracePeriod: 60_000 }, true],
    ['the newest is one second younger', [90, 59], { gracePeriod: 60_000 }, false],
    ['the oldest is as old as the longest delay', [120, 0], { maxDelay: 120_000 }, true],
    ['the oldest is one second younger', [119, 0], { maxDelay: 120_000 }, false],
    ['there is no longest delay', [100_000, 0], { maxDelay: 0 }, false],
    ['there are as many as the largest size', [1, 0], { maxSize: 2 }, true],
    ['there are fewer than the largest size', [1, 0], { maxSize: 3 }, false],
    ['there is no largest size', [1, 0], { maxSize: 0 }, false],
    ['a delay of less than a second has passed', [1, 0], { maxDelay: 100 }, true],
  ])('P-95 P-96 Q-16 Q-17 decides by size, delay and grace: %s', async (_, ages, limits, isReady) => {
    const ids = await givenGroup(ages);
    const setId = await collect(limits);
    expect(setId !== undefined).toBe(isReady);
    if (!isReady) expect(await tasks.redis.zcard(groupKey(tasks.keys, 'g'))).toBe(ids.length);
  });

  it('P-97 P-98 gives the set a deadline and the old scores, and leaves nothing of the group', async () => {
    await givenGroup([90, 70]);
    const setId = await collect();
    const set = aggregationSetKey(tasks.keys, 'g', setId!);
    expect(await tasks.redis.zrange(tasks.keys.aggregationSets, 0, '-1', 'WITHSCORES')).toEqual([
      set,
      String(noonSeconds + 120),
    ]);
    expect(await tasks.redis.zrange(set, 0, '-1', 'WITHSCORES')).toEqual([
      'm0',
      String(noonSeconds - 90),
      'm1',
      String(noonSeconds - 70),
    ]);
    expect(await tasks.redis.exists(tasks.keys.groups, groupKey(tasks.keys, 'g'))).toBe(0);
    expect((await tasks.hash('m0'))['state']).toBe('aggregating');
  });

  it('P-98 leaves nothing of a group that has just the largest size', async () => {
    await givenGroup([2, 1]);
    expect(await collect({ maxSize: 2 })).toBeDefined();
    expect(await tasks.redis.exists(tasks.keys.groups, groupKey(tasks.keys, 'g'))).toBe(0);
  });

  it('Q-14 no longer lists a group that is empty', async () => {
    await tasks.redis.sadd(tasks.keys.groups, 'g', 'other');
    expect(await collect()).toBeUndefined();
    expect(await tasks.redis.smembers(tasks.keys.groups)).toEqual(['other']);
  });

  it('Q-12 S-117 reads the members oldest first and skips those whose task is gone', async () => {
    await givenGroup([80, 90, 70]);
    const setId = await collect();
    await tasks.redis.del(`${tasks.keys.taskPrefix}m0`);
    const set = await read(setId!);
    expect(set?.messages.map(({ id }) => id)).toEqual(['m1', 'm2']);
    expect(set?.messages[0]).toEqual(await tasks.message('m1'));
    expect(set?.expiresAt).toBe(noon + 120_000);
    expect(set?.undecodable).toEqual([]);
  });

  it('reads a set of 1,200 members completely', async () => {
    const ids = await givenGroup(Array.from({ length: 1_200 }, (_, i) => 2_000 - i));
    const set = await read((await collect())!);
    expect(set?.messages.map(({ id }) => id)).toEqual(ids);
  });

  it('archives a member that does not decode, with its bytes, and takes it out of the set', async () => {
    await givenGroup([90]);
    const bad = Buffer.from([0x0a, 0x03, 0x61, 0xff, 0x62, 0x12, 0x01, 0x70]);
    await tasks.given({ id: 'bad', state: 'aggregating', group: 'g', score: noonSeconds - 95, message: bad });
    const setId = await collect();
    const set = await read(setId!);
    expect(set?.messages.map(({ id }) => id)).toEqual(['m0']);
    expect(set?.undecodable).toEqual([{ queue: tasks.queue, taskId: 'bad', reason: expect.stringMatching(/UTF-8/i) }]);
    expect(await tasks.placesOf('bad')).toEqual(['archived']);
    expect(await tasks.message('bad')).toMatchObject({
      id: 'bad',
      queue: tasks.queue,
      payload: Buffer.from('p'),
      errorMessage: set?.undecodable[0]?.reason,
      lastFailedAtSeconds: noonSeconds,
    });
    expect(await tasks.redis.hgetBuffer(`${tasks.keys.taskPrefix}bad`, 'x:msg')).toEqual(bad);
    expect(await tasks.redis.mget(tasks.keys.processed, tasks.keys.failed)).toEqual(['1', '1']);
    await tasks.maintenance.deleteAggregationSet({ queue: tasks.queue, group: 'g', setId: setId! });
    expect(await tasks.hash('bad')).toMatchObject({ state: 'archived' });
  });

  it('P-99 P-103 deletes a set with its tasks, and leaves their locks', async () => {
    const lock = `${tasks.keys.taskPrefix.slice(0, -2)}unique:email:send:`;
    await tasks.redis.set(lock, 'm0');
    await givenGroup([90, 80]);
    await tasks.redis.hset(`${tasks.keys.taskPrefix}m0`, 'unique_key', lock);
    const setId = await collect();
    await tasks.maintenance.deleteAggregationSet({ queue: tasks.queue, group: 'g', setId: setId! });
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix.slice(0, -2)}*`)).toEqual([lock]);
    expect(await read(setId!)).toBeUndefined();
  });

  it('P-100 P-101 S-91 S-92 Q-11 returns an old set to its group with the old scores and lists the group', async () => {
    await givenGroup([90, 80]);
    const setId = await collect();
    await tasks.given({ id: 'new', state: 'aggregating', group: 'g', score: noonSeconds });
    const reclaim = async (now: number) =>
      await tasks.maintenance.reclaimAggregationSets({ queue: tasks.queue, now: epochMs(now) });
    expect(await reclaim(noon + 119_999)).toBe(0);
    expect((await read(setId!))?.messages).toHaveLength(2);
    expect(await reclaim(noon + 120_000)).toBe(1);
    expect(await tasks.redis.zrange(groupKey(tasks.keys, 'g'), 0, '-1', 'WITHSCORES')).toEqual(
      [['m0', noonSeconds - 90], ['m1', noonSeconds - 80], ['new', noonSeconds]].flat().map(String), // prettier-ignore
    );
    expect(await tasks.redis.smembers(tasks.keys.groups)).toEqual(['g']);
    expect(await tasks.redis.exists(tasks.keys.aggregationSets, aggregationSetKey(tasks.keys, 'g', setId!))).toBe(0);
    expect(await read(setId!)).toBeUndefined();
  });

  it('P-102 Q-13 returns a set of a group whose name has colons and looks like a set itself', async () => {
    const group = 'a:b:8f14e45f-ceea-4e7a-9c1d-2f2a8f0e6b11';
    await givenGroup([90], group);
    const setId = await collect({ group });
    const now = addMs(noon, ms(120_000));
    expect(await tasks.maintenance.reclaimAggregationSets({ queue: tasks.queue, now })).toBe(1);
    expect(await tasks.placesOf('m0')).toEqual([`g:${group}`]);
    expect(await tasks.redis.smembers(tasks.keys.groups)).toEqual([group]);
    expect(setId).toBeDefined();
  });

  it('drops a registered set that is no key of the queue, or gone, and touches nothing else', async () => {
    await tasks.redis.zadd(
      tasks.keys.aggregationSets,
      noonSeconds,
      'foreign:key',
      noonSeconds,
      `${tasks.keys.groupPrefix}g:x`,
    );
    const now = fromEpochSeconds(noonSeconds);
    expect(await tasks.maintenance.reclaimAggregationSets({ queue: tasks.queue, now })).toBe(2);
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix.slice(0, -2)}*`)).toEqual([]);
  });

  it('keeps a task whose id was taken again since it left the set', async () => {
    await givenGroup([90]);
    const setId = await collect();
    await tasks.redis.del(`${tasks.keys.taskPrefix}m0`);
    await tasks.given({ id: 'm0' });
    await tasks.maintenance.deleteAggregationSet({ queue: tasks.queue, group: 'g', setId: setId! });
    expect(await tasks.placesOf('m0')).toEqual(['pending']);
    expect(await tasks.hash('m0')).toMatchObject({ state: 'pending' });
  });
});
