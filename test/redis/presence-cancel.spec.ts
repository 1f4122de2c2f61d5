import type { CancelOutcome, CancelThen } from '../../lib/model/broker/presence.contract.js';
import type { EnqueuePlace } from '../../lib/model/broker/enqueue.contract.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { groupKey, taskKey } from '../../lib/redis/keys.js';
import { until } from '../support/until.js';
import { now, nowSeconds, QueueUnderTest, type Wanted } from './queue-under-test.js';

describe('canceling', () => {
  let tasks: QueueUnderTest;
  let uniqueKey: string;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
    uniqueKey = `asynq:{${tasks.queue}}:unique:email:send:`;
  });
  afterEach(async () => await tasks.close());

  const scheduled: EnqueuePlace = { kind: 'scheduled', processAt: addMs(now, ms(5_000)) };
  const cancel = async (then: CancelThen, taskId = 'a'): Promise<CancelOutcome> =>
    await tasks.broker.presence.cancel({ queue: tasks.queue, taskId, then, now });
  const locked = (fields: Wanted = {}): Wanted => ({ id: 'a', uniqueKey, uniqueForSeconds: 60, ...fields });
  /** Puts a task with a lock into each state that waits. */
  const given: Readonly<Record<string, () => Promise<void>>> = {
    pending: async () => void (await tasks.enqueue({ id: 'x' }, locked(), { id: 'y' })),
    scheduled: async () => void (await tasks.enqueue(locked({ place: scheduled }))),
    retry: async () => {
      const [message] = await tasks.running(locked());
      const retryAt = addMs(now, ms(5_000));
      await tasks.settle({ kind: 'retry', message: message ?? tasks.message(), retryAt, counts: 'as-failure' });
    },
    aggregating: async () => void (await tasks.enqueue(locked({ place: { kind: 'aggregating' }, group: 'g' }))),
  };
  const states = Object.keys(given);

  it.each(states)('archives a %s task, with its lock and its record as they are', async (state) => {
    await given[state]?.();
    const record = await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'msg');
    const before = await tasks.counters();
    expect(await cancel('archive')).toBe('archived');
    expect(await tasks.placesOf('a')).toEqual(['archived']);
    expect(await tasks.redis.zscore(tasks.keys.archived, 'a')).toBe(String(nowSeconds));
    expect(await tasks.hash('a')).toMatchObject({ state: 'archived' });
    expect(await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'msg')).toEqual(record);
    expect(await tasks.redis.get(uniqueKey)).toBe('a');
    expect(await tasks.counters()).toEqual(before);
  });

  it.each(states)('deletes a %s task and frees its lock', async (state) => {
    await given[state]?.();
    expect(await cancel('delete')).toBe('deleted');
    expect(await tasks.placesOf('a')).toEqual([]);
    expect(await tasks.redis.exists(taskKey(tasks.keys, 'a'), uniqueKey, groupKey(tasks.keys, 'g'))).toBe(0);
    expect(await tasks.redis.scard(tasks.keys.groups)).toBe(0);
  });

  it.each(states)('keeps a %s task that is to be retried: it waits already', async (state) => {
    await given[state]?.();
    const before = await tasks.redis.hgetallBuffer(taskKey(tasks.keys, 'a'));
    expect(await cancel('retry')).toBe('kept');
    expect(await tasks.redis.hgetallBuffer(taskKey(tasks.keys, 'a'))).toEqual(before);
  });

  it('leaves the neighbours of a canceled task where they are', async () => {
    await given['pending']?.();
    await tasks.enqueue({ id: 'b', place: { kind: 'aggregating' }, group: 'g' });
    await tasks.enqueue({ id: 'c', place: { kind: 'aggregating' }, group: 'g' });
    await cancel('delete');
    await cancel('delete', 'b');
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['y', 'x']);
    expect(await tasks.redis.zrange(groupKey(tasks.keys, 'g'), 0, '-1')).toEqual(['c']);
    expect(await tasks.redis.smembers(tasks.keys.groups)).toEqual(['g']);
  });

  it('does not free the lock of another task', async () => {
    await tasks.enqueue(locked());
    await tasks.redis.set(uniqueKey, 'newer');
    await cancel('delete');
    expect(await tasks.redis.get(uniqueKey)).toBe('newer');
  });

  it('frees the lock of a grouped task of Go, which only its record names', async () => {
    await given['aggregating']?.();
    await tasks.redis.hdel(taskKey(tasks.keys, 'a'), 'unique_key');
    expect(await cancel('delete')).toBe('deleted');
    expect(await tasks.redis.exists(uniqueKey)).toBe(0);
  });

  it.each<CancelThen>(['archive', 'delete', 'retry'])('tells the worker of a running task to %s it', async (then) => {
    const heard: unknown[] = [];
    const unsubscribe = await tasks.broker.presence.subscribe({
      onCancel: (taskId, request) => void (taskId === tasks.queue && heard.push(request)),
      onWake: () => {},
      onDue: () => {},
      onReconnect: () => {},
    });
    await tasks.running({ id: tasks.queue });
    expect(await cancel(then, tasks.queue)).toBe('signaled');
    // The consequence first: the bare id that follows is for servers that know no consequences.
    await until('both signals are heard', () => heard.length === 2);
    expect(heard).toEqual([{ queue: tasks.queue, then }, undefined]);
    expect(await tasks.placesOf(tasks.queue)).toEqual(['active', 'lease']);
    expect(await tasks.hash(tasks.queue)).toMatchObject({ state: 'active', 'x:cancel': then });
    await unsubscribe();
  });

  it.each(['completed', 'archived'] as const)('keeps a task that has ended: %s', async (state) => {
    await tasks.redis.hset(taskKey(tasks.keys, 'a'), { msg: 'm', state });
    await tasks.redis.zadd(tasks.keys[state], nowSeconds, 'a');
    for (const then of ['archive', 'delete', 'retry'] as const) expect(await cancel(then)).toBe('kept');
    expect(await tasks.placesOf('a')).toEqual([state]);
  });

  it('keeps a task that is being aggregated right now', async () => {
    await given['aggregating']?.();
    await tasks.redis.rename(groupKey(tasks.keys, 'g'), `${groupKey(tasks.keys, 'g')}:set`);
    expect(await cancel('delete')).toBe('kept');
    expect(await tasks.hash('a')).toMatchObject({ state: 'aggregating' });
  });

  it('says that there is no such task, and writes nothing', async () => {
    expect(await cancel('archive')).toBe('not-found');
    expect(await tasks.redis.exists(taskKey(tasks.keys, 'a'))).toBe(0);
    expect(await tasks.placesOf('a')).toEqual([]);
  });

  it('P-86 trims the archive as a worker does', async () => {
    await tasks.redis.zadd(tasks.keys.archived, nowSeconds - 91 * 86_400, 'old');
    await tasks.redis.hset(taskKey(tasks.keys, 'old'), { msg: 'm', state: 'archived' });
    await given['pending']?.();
    await cancel('archive');
    expect(await tasks.redis.zrange(tasks.keys.archived, 0, '-1')).toEqual(['a']);
    expect(await tasks.redis.exists(taskKey(tasks.keys, 'old'))).toBe(0);
  });
});
