import type { Disorder } from '../../lib/model/broker/maintenance.contract.js';
import { addMs, type EpochMs, ms } from '../../lib/model/time/duration.js';
import { globalKeys, groupKey, taskKey } from '../../lib/redis/keys.js';
import { until } from '../support/until.js';
import { noon, noonSeconds, type Seed, SeededQueue } from './seeded-queue.js';

/** What a caller does: it looks, waits a full lease, and hands back what it saw. */
const later = addMs(noon, ms(31_000));
const laterSeconds = later / 1_000;

describe('reconciling a queue', () => {
  let tasks: SeededQueue;
  beforeEach(() => {
    tasks = SeededQueue.open();
  });
  afterEach(async () => await tasks.close());

  /** A whole round; the first step heals what was confirmed. */
  const round = async (confirmed: readonly Disorder[] = [], now: EpochMs = noon) => {
    const suspicions: Disorder[] = [];
    const healed: Disorder[] = [];
    let cursor: string | undefined;
    let given = confirmed;
    do {
      const step = await tasks.maintenance.reconcile({ queues: [tasks.queue], now, cursor, confirmed: given });
      suspicions.push(...step.suspicions);
      healed.push(...step.healed);
      cursor = step.cursor;
      given = [];
    } while (cursor !== undefined);
    // A server may name a key twice while its table grows.
    const once = new Map(suspicions.map((suspicion) => [JSON.stringify(suspicion), suspicion]));
    return { suspicions: [...once.values()], healed };
  };
  const fault = (kind: Disorder['kind'], subject: string): Disorder => ({ queue: tasks.queue, kind, subject });

  const kinds = [
    'active-without-lease',
    'lease-without-active',
    'id-without-task',
    'task-without-place',
    'task-in-wrong-place',
    'task-without-message',
    // Once more, now that there is something to be seen.
    'active-without-lease',
    'lease-without-active',
  ] as const;
  const everyState: readonly Seed[] = [
    { id: 'pending' },
    { id: 'active', state: 'active', score: noonSeconds + 30 },
    { id: 'scheduled', state: 'scheduled' },
    { id: 'retry', state: 'retry' },
    { id: 'archived', state: 'archived' },
    { id: 'completed', state: 'completed' },
    { id: 'waiting', state: 'aggregating', group: 'g' },
    { id: 'grouped-once', fields: { group: 'g' } },
    { id: 'unknown', fields: { state: 'paused-by-a-newer-asynq' }, places: [] },
  ];

  it('finds no fault in an intact queue, aggregation sets included', async () => {
    await tasks.given(...everyState, { id: 'collected', state: 'aggregating', group: 'h' });
    await tasks.redis.sadd(tasks.keys.groups, 'g', 'h');
    await tasks.maintenance.collectGroup({
      queue: tasks.queue,
      group: 'h',
      now: noon,
      maxSize: 1,
      maxDelay: ms(0),
      gracePeriod: ms(0),
    });
    expect(await round()).toEqual({ suspicions: [], healed: [] });
  });

  it('heals nothing that is not confirmed, even when it is found again and again', async () => {
    await tasks.given({ id: 'lost', places: [] });
    await round();
    expect(await round()).toEqual({ suspicions: [fault('task-without-place', 'lost')], healed: [] });
    expect(await tasks.placesOf('lost')).toEqual([]);
  });

  it('gives a running task without a lease an expired one, so that it is recovered', async () => {
    await tasks.given({ id: 'task', state: 'active', places: [tasks.keys.active] });
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('active-without-lease', 'task')]);
    expect((await round(suspicions, later)).healed).toEqual(suspicions);
    expect(await tasks.redis.zscore(tasks.keys.lease, 'task')).toBe(String(laterSeconds));
    expect(await round()).toEqual({ suspicions: [], healed: [] });
  });

  it('puts a leased task back into active', async () => {
    await tasks.given({ id: 'task', state: 'active', places: [tasks.keys.lease], score: noonSeconds - 5 });
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('lease-without-active', 'task')]);
    expect((await round(suspicions, later)).healed).toEqual(suspicions);
    expect(await tasks.placesOf('task')).toEqual(['active', 'lease']);
    expect(await tasks.redis.zscore(tasks.keys.lease, 'task')).toBe(String(noonSeconds - 5));
  });

  it('drops the lease of a task that is elsewhere', async () => {
    await tasks.given({ id: 'task', state: 'retry', places: [tasks.keys.retry, tasks.keys.lease] });
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('lease-without-active', 'task')]);
    expect((await round(suspicions, later)).healed).toEqual(suspicions);
    expect(await tasks.placesOf('task')).toEqual(['retry']);
  });

  it('drops ids whose task is gone from every list and set', async () => {
    const { keys, redis } = tasks;
    await redis.lpush(keys.pending, 'gone');
    await redis.lpush(keys.active, 'gone');
    for (const set of [keys.lease, keys.scheduled, keys.retry, keys.archived, keys.completed, groupKey(keys, 'g')]) {
      await redis.zadd(set, noonSeconds, 'gone');
    }
    await redis.sadd(keys.groups, 'g');
    await redis.zadd(keys.due, noon, 'gone');
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('id-without-task', 'gone')]);
    expect((await round(suspicions, later)).healed).toEqual([fault('id-without-task', 'gone')]);
    expect(await tasks.placesOf('gone')).toEqual([]);
    expect(await tasks.hash('gone')).toEqual({});
    expect(await redis.exists(keys.due)).toBe(0);
  });

  it('drops ids whose key holds something other than a task, and leaves that key alone', async () => {
    await tasks.redis.set(taskKey(tasks.keys, 'odd'), 'no hash');
    await tasks.redis.zadd(tasks.keys.retry, noonSeconds, 'odd');
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('id-without-task', 'odd')]);
    expect((await round(suspicions, later)).healed).toEqual(suspicions);
    expect(await tasks.redis.zcard(tasks.keys.retry)).toBe(0);
    expect(await tasks.redis.get(taskKey(tasks.keys, 'odd'))).toBe('no hash');
  });

  it.each([
    ['pending', {}, 'pending', undefined],
    ['active', {}, 'active', laterSeconds],
    ['scheduled', {}, 'scheduled', laterSeconds],
    ['scheduled', { exactDueAt: noon + 90_500 }, 'scheduled', noonSeconds + 91],
    ['retry', {}, 'retry', laterSeconds],
    ['archived', {}, 'archived', laterSeconds],
    [
      'completed',
      { message: { completedAtSeconds: noonSeconds, retentionSeconds: 600 } },
      'completed',
      noonSeconds + 600,
    ],
    ['aggregating', { group: 'g', message: { group: '' } }, 'g:g', laterSeconds],
    ['aggregating', { message: { group: 'g' } }, 'g:g', laterSeconds],
    ['aggregating', {}, 'pending', undefined],
  ] as const)('puts a task without a place where its state says: %s %j', async (state, rest, place, score) => {
    await tasks.given({ id: 'task', state, places: [], ...rest });
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('task-without-place', 'task')]);
    expect((await round(suspicions, later)).healed).toEqual(suspicions);
    expect(await tasks.placesOf('task')).toEqual(state === 'active' ? ['active', 'lease'] : [place]);
    if (place === 'pending') expect(await tasks.hash('task')).toMatchObject({ state: 'pending' });
    else {
      const set = place === 'g:g' ? groupKey(tasks.keys, 'g') : tasks.keys[state === 'active' ? 'lease' : place];
      expect(await tasks.redis.zscore(set, 'task')).toBe(String(score));
    }
    expect(await round()).toEqual({ suspicions: [], healed: [] });
  });

  it.each(['pending', 'active', 'retry', 'aggregating'] as const)(
    'puts a lost %s task into one place, whatever faults one call names for it',
    async (state) => {
      await tasks.given({ id: 'task', state, places: [], group: 'g' });
      await round(kinds.map((kind) => fault(kind, 'task')));
      const places = { pending: ['pending'], active: ['active', 'lease'], retry: ['retry'], aggregating: ['g:g'] };
      expect(await tasks.placesOf('task')).toEqual(places[state]);
    },
  );

  it('puts lost pending tasks before the waiting ones, and sets their pending time', async () => {
    await tasks.given({ id: 'lost', places: [] }, { id: 'waiting' });
    await tasks.redis.hdel(taskKey(tasks.keys, 'lost'), 'pending_since');
    const { suspicions } = await round();
    expect((await round(suspicions, later)).healed).toEqual(suspicions);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['waiting', 'lost']);
    expect(await tasks.hash('lost')).toMatchObject({ pending_since: `${later}000000` });
  });

  it('wakes workers for a task that returns to an empty queue, and only then', async () => {
    const listener = tasks.redis.duplicate();
    const heard: string[] = [];
    await listener.subscribe(globalKeys.wakeChannel);
    listener.on('message', (_channel, text) => heard.push(text));
    await tasks.given({ id: 'first', places: [] }, { id: 'second', places: [] });
    await round([fault('task-without-place', 'first'), fault('task-without-place', 'second')]);
    await tasks.redis.publish(globalKeys.wakeChannel, `end of ${tasks.queue}`);
    await until('the end is heard', () => heard.includes(`end of ${tasks.queue}`));
    listener.disconnect();
    expect(heard.filter((text) => text === tasks.queue)).toHaveLength(1);
  });

  it('Q-34 corrects the state of a task that an aborted script left in another place', async () => {
    await tasks.given({ id: 'task', state: 'active', places: [tasks.keys.archived] });
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('task-in-wrong-place', 'task'), fault('task-without-place', 'task')]);
    expect((await round(suspicions, later)).healed).toHaveLength(1);
    expect(await tasks.placesOf('task')).toEqual(['archived']);
    expect(await tasks.hash('task')).toMatchObject({ state: 'archived' });
  });

  it.each([
    ['pending', ['pending'], 'pending'],
    ['active', ['active', 'lease'], 'active'],
    ['active', ['active'], 'active'],
    ['aggregating', ['g:g'], 'aggregating'],
    ['scheduled', ['scheduled'], 'scheduled'],
  ] as const)('corrects the state of a task that is %s and says otherwise, in %j', async (_, places, state) => {
    const { keys } = tasks;
    await tasks.redis.sadd(keys.groups, 'g');
    const found = places.map((place) => (place === 'g:g' ? groupKey(keys, 'g') : keys[place]));
    await tasks.given({ id: 'task', state: 'retry', group: 'g', places: found });
    const { suspicions } = await round();
    await round(suspicions, later);
    expect(await tasks.placesOf('task')).toEqual(places);
    expect(await tasks.hash('task')).toMatchObject({ state });
  });

  it.each(['retry', 'active'] as const)('removes a pending task from %s if it is also there', async (place) => {
    await tasks.given({ id: 'task', places: [tasks.keys.pending, tasks.keys[place]] });
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('task-in-wrong-place', 'task')]);
    const { healed } = await round([fault('active-without-lease', 'task'), ...suspicions], later);
    expect(healed).toEqual(suspicions);
    expect(await tasks.placesOf('task')).toEqual(['pending']);
  });

  it('Q-26 deletes a hash that is not a task, so that its id is free again', async () => {
    await tasks.redis.hset(taskKey(tasks.keys, 'stub'), 'result', 'late');
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('task-without-message', 'stub')]);
    expect((await round(suspicions, later)).healed).toEqual(suspicions);
    expect(await tasks.redis.exists(taskKey(tasks.keys, 'stub'))).toBe(0);
  });

  it.each([
    [['retry'], 'retry'],
    [[], 'pending'],
  ] as const)('gives a task without a state the state of its place: %j', async (places, state) => {
    await tasks.given({ id: 'task', places: places.map((place) => tasks.keys[place]) });
    await tasks.redis.hdel(taskKey(tasks.keys, 'task'), 'state');
    const { suspicions } = await round();
    await round(suspicions, later);
    expect(await tasks.placesOf('task')).toEqual([state]);
    expect(await tasks.hash('task')).toMatchObject({ state });
    expect(await round()).toEqual({ suspicions: [], healed: [] });
  });

  it('lists a group again that has members', async () => {
    await tasks.given({ id: 'task', state: 'aggregating', group: 'a:b' });
    const { suspicions } = await round();
    expect(suspicions).toEqual([fault('group-not-listed', 'a:b')]);
    expect((await round(suspicions, later)).healed).toEqual(suspicions);
    expect(await tasks.maintenance.listGroups(tasks.queue)).toEqual(['a:b']);
  });

  it('returns the tasks of an unknown aggregation set to their group, once each', async () => {
    await tasks.given({ id: 'task', state: 'aggregating', group: 'g:h', score: noonSeconds - 60 });
    const limits = { maxSize: 1, maxDelay: ms(0), gracePeriod: ms(0) };
    const checked = await tasks.maintenance.collectGroup({ queue: tasks.queue, group: 'g:h', now: noon, ...limits });
    const setId = checked.kind === 'collected' ? checked.setId : 'none';
    await tasks.redis.del(tasks.keys.aggregationSets);
    const { suspicions } = await round();
    expect(new Map(suspicions.map(({ kind, subject }) => [kind, subject]))).toEqual(
      new Map([
        ['group-not-listed', `g:h:${setId}`],
        ['task-without-place', 'task'],
      ]),
    );
    expect((await round(suspicions, later)).healed).toEqual([fault('group-not-listed', `g:h:${setId}`)]);
    expect(await tasks.maintenance.reclaimAggregationSets({ queue: tasks.queue, now: later })).toBe(1);
    expect(await tasks.placesOf('task')).toEqual(['g:g:h']);
    expect(await tasks.redis.zscore(groupKey(tasks.keys, 'g:h'), 'task')).toBe(String(noonSeconds - 60));
    expect(await round()).toEqual({ suspicions: [], healed: [] });
  });

  it('leaves alone what is consistent by the time it is confirmed', async () => {
    await tasks.given(...everyState);
    await tasks.redis.sadd(tasks.keys.groups, 'g');
    const before = await Promise.all(
      everyState.map(async ({ id }) => [await tasks.placesOf(id), await tasks.hash(id)]),
    );
    const alarms = everyState.flatMap(({ id }) => kinds.map((kind) => fault(kind, id)));
    const { healed } = await round([...alarms, fault('group-not-listed', 'g'), fault('group-not-listed', 'h')], later);
    expect(healed).toEqual([]);
    const after = await Promise.all(everyState.map(async ({ id }) => [await tasks.placesOf(id), await tasks.hash(id)]));
    expect(after).toEqual(before);
    expect(await round([fault('task-without-place', 'never-there'), fault('id-without-task', 'never-there')])).toEqual({
      suspicions: [],
      healed: [],
    });
  });
});
