import type { EnqueuePlace } from '../../lib/model/broker/enqueue.contract.js';
import { addMs, epochMs, fromEpochSeconds, ms } from '../../lib/model/time/duration.js';
import { aggregationSetKey, groupKey } from '../../lib/redis/keys.js';
import { aTaskMessage } from '../support/a-task-message.js';
import { noon, noonSeconds, SeededQueue } from './seeded-queue.js';

describe('finishing an aggregation', () => {
  let tasks: SeededQueue;
  beforeEach(() => {
    tasks = SeededQueue.open();
  });
  afterEach(async () => await tasks.close());

  /** A set of a group with the given members, already collected. */
  const givenSet = async (ids: readonly string[] = ['m0', 'm1']): Promise<string> => {
    await tasks.given(
      ...ids.map((id, i) => ({
        id,
        state: 'aggregating' as const,
        group: 'g',
        score: noonSeconds - 90 + Math.min(i, 1),
      })),
    );
    await tasks.redis.sadd(tasks.keys.groups, 'g');
    const limits = { maxSize: 0, maxDelay: ms(0), gracePeriod: ms(1_000) };
    const checked = await tasks.maintenance.collectGroup({ queue: tasks.queue, group: 'g', now: noon, ...limits });
    if (checked.kind !== 'collected') throw new Error('not ready');
    return checked.setId;
  };
  const finish = async (
    setId: string,
    parts: {
      readonly id?: string;
      readonly place?: EnqueuePlace;
      readonly lock?: string;
      readonly group?: string;
    } = {},
  ) => {
    const { id = 'combined', place = { kind: 'pending' }, lock = '', group = '' } = parts;
    const message = aTaskMessage({ id, type: 'digest', queue: tasks.queue, uniqueKey: lock, group });
    const combined = { message, place, uniqueForSeconds: lock === '' ? 0 : 60, idIsGenerated: false };
    return await tasks.maintenance.finishAggregation({ queue: tasks.queue, group: 'g', setId, combined, now: noon });
  };
  const memberKeys = () => ['m0', 'm1'].map((id) => `${tasks.keys.taskPrefix}${id}`);

  it('P-99 D-S19 Q-15 stores the combined task and deletes the set in one step', async () => {
    const setId = await givenSet();
    expect(await finish(setId)).toBe('finished');
    expect(await tasks.placesOf('combined')).toEqual(['pending']);
    expect(await tasks.hash('combined')).toMatchObject({ state: 'pending' });
    const set = aggregationSetKey(tasks.keys, 'g', setId);
    expect(await tasks.redis.exists(set, tasks.keys.aggregationSets, ...memberKeys())).toBe(0);
  });

  it('stores nothing when the set went back to its group, or was finished before', async () => {
    const setId = await givenSet();
    const now = addMs(noon, ms(120_000));
    expect(await tasks.maintenance.reclaimAggregationSets({ queue: tasks.queue, now })).toBe(1);
    expect(await finish(setId)).toBe('gone');
    expect(await tasks.placesOf('combined')).toEqual([]);
    expect(await tasks.placesOf('m0')).toEqual(['g:g']);

    const again = await givenSet(['m2']);
    expect(await finish(again)).toBe('finished');
    expect(await finish(again, { id: 'another' })).toBe('gone');
    expect(await tasks.placesOf('another')).toEqual([]);
  });

  it.each([
    ['its id is taken', {}, 'id-conflict'],
    ['another task holds its lock', { id: 'other', lock: 'unique:digest:' }, 'duplicate'],
  ] as const)('touches nothing when %s', async (_, parts, outcome) => {
    const setId = await givenSet();
    const lock = 'lock' in parts ? `${tasks.keys.taskPrefix.slice(0, -2)}${parts.lock}` : '';
    await tasks.given({ id: 'combined' });
    if (lock !== '') await tasks.redis.set(lock, 'combined');
    expect(await finish(setId, { ...parts, lock })).toBe(outcome);
    expect(await tasks.redis.exists(...memberKeys())).toBe(2);
    expect(await tasks.redis.zcard(aggregationSetKey(tasks.keys, 'g', setId))).toBe(2);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['combined']);
  });

  it('puts a combined task off, or into a group, and keeps its lock', async () => {
    const lock = `${tasks.keys.taskPrefix.slice(0, -2)}unique:digest:`;
    const processAt = addMs(noon, ms(60_000));
    expect(await finish(await givenSet(), { place: { kind: 'scheduled', processAt }, lock })).toBe('finished');
    expect(await tasks.placesOf('combined')).toEqual(['scheduled']);
    expect(await tasks.redis.get(lock)).toBe('combined');
    const again = await givenSet();
    expect(await finish(again, { id: 'more', place: { kind: 'aggregating' }, group: 'g' })).toBe('finished');
    expect(await tasks.redis.zrange(groupKey(tasks.keys, 'g'), 0, '-1')).toEqual(['more']);
    expect(await tasks.maintenance.listGroups(tasks.queue)).toEqual(['g']);
  });

  it('deletes a set of 2,500 members, which no single command could carry', async () => {
    const setId = await givenSet(Array.from({ length: 2_500 }, (_, i) => `m${i}`));
    expect(await finish(setId)).toBe('finished');
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix}*`)).toEqual([`${tasks.keys.taskPrefix}combined`]);
  });

  it('keeps a task whose id was taken again since it left the set, and the locks of members', async () => {
    const lock = `${tasks.keys.taskPrefix.slice(0, -2)}unique:email:send:`;
    const setId = await givenSet();
    await tasks.redis.set(lock, 'm1');
    await tasks.redis.hset(`${tasks.keys.taskPrefix}m1`, 'unique_key', lock);
    await tasks.redis.del(`${tasks.keys.taskPrefix}m0`);
    await tasks.given({ id: 'm0' });
    expect(await finish(setId)).toBe('finished');
    expect(await tasks.hash('m0')).toMatchObject({ state: 'pending' });
    expect(await tasks.redis.get(lock)).toBe('m1');
  });

  it('returns a set before its time is over, once', async () => {
    const setId = await givenSet();
    const set = { queue: tasks.queue, group: 'g', setId };
    await tasks.maintenance.returnAggregationSet(set);
    await tasks.maintenance.returnAggregationSet(set);
    expect(await tasks.redis.zrange(groupKey(tasks.keys, 'g'), 0, '-1', 'WITHSCORES')).toEqual(
      [['m0', noonSeconds - 90], ['m1', noonSeconds - 89]].flat().map(String), // prettier-ignore
    );
    expect(await tasks.maintenance.listGroups(tasks.queue)).toEqual(['g']);
    expect(await tasks.redis.exists(tasks.keys.aggregationSets)).toBe(0);
  });

  it.each([
    ['the grace of the newest', [30, 10], { maxDelay: 0, gracePeriod: 60_000 }, 50],
    ['the delay of the oldest', [30, 10], { maxDelay: 40_000, gracePeriod: 60_000 }, 10],
  ])('tells when a group can be ready, by %s', async (_, ages, { maxDelay, gracePeriod }, inSeconds) => {
    await tasks.given(
      ...ages.map((age, i) => ({ id: `m${i}`, state: 'aggregating' as const, group: 'g', score: noonSeconds - age })),
    );
    const limits = { maxSize: 0, maxDelay: ms(maxDelay), gracePeriod: ms(gracePeriod) };
    const request = { queue: tasks.queue, group: 'g', ...limits };
    const readyAt = fromEpochSeconds(noonSeconds + inSeconds);
    expect(await tasks.maintenance.collectGroup({ ...request, now: noon })).toEqual({ kind: 'not-ready', readyAt });
    const before = epochMs(readyAt - 1);
    expect(await tasks.maintenance.collectGroup({ ...request, now: before })).toMatchObject({ kind: 'not-ready' });
    expect(await tasks.maintenance.collectGroup({ ...request, now: readyAt })).toMatchObject({ kind: 'collected' });
  });

  it('D-S3 Q-09 puts a delayed task into its group at its time', async () => {
    await tasks.given({ id: 'm0', state: 'scheduled', fields: { 'x:group': 'g' } });
    await tasks.maintenance.forwardDue({ queue: tasks.queue, now: noon, limit: 10 });
    expect(await tasks.placesOf('m0')).toEqual(['g:g']);
    expect(await tasks.hash('m0')).toMatchObject({ state: 'aggregating', group: 'g' });
    expect(await tasks.maintenance.listGroups(tasks.queue)).toEqual(['g']);
  });

  it('retries alone a delayed task of a group that a Go server let run alone', async () => {
    await tasks.given({ id: 'm0', state: 'retry', fields: { 'x:group': 'g' } });
    await tasks.maintenance.forwardDue({ queue: tasks.queue, now: noon, limit: 10 });
    expect(await tasks.placesOf('m0')).toEqual(['pending']);
  });
});
