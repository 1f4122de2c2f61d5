import { addMs, ms } from '../../lib/model/time/duration.js';
import { groupKey, taskKey } from '../../lib/redis/keys.js';
import { now, nowSeconds, QueueUnderTest, type Wanted } from './queue-under-test.js';

describe('enqueueing under a unique lock', () => {
  let tasks: QueueUnderTest;
  let uniqueKey: string;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
    uniqueKey = `asynq:{${tasks.queue}}:unique:email:send:d41d8cd98f00b204e9800998ecf8427e`;
  });
  afterEach(async () => await tasks.close());

  const unique = (id: string, fields: Wanted = {}): Wanted => ({ id, uniqueKey, uniqueForSeconds: 60, ...fields });
  const later = { kind: 'scheduled', processAt: addMs(now, ms(3_600_000)) } as const;
  const grouped: Wanted = { place: { kind: 'aggregating' }, group: 'g' };

  it('P-25 holds the lock for the whole seconds asked for, in the name of the task', async () => {
    expect(await tasks.enqueue(unique('a'))).toEqual(['enqueued']);
    expect(await tasks.redis.get(uniqueKey)).toBe('a');
    expect(await tasks.redis.ttl(uniqueKey)).toBeGreaterThan(55);
    expect(await tasks.redis.ttl(uniqueKey)).toBeLessThanOrEqual(60);
  });

  it('P-37 P-11 names the lock in the hash and in the record', async () => {
    await tasks.enqueue(unique('a'));
    expect(await tasks.hash('a')).toMatchObject({ state: 'pending', unique_key: uniqueKey });
    expect((await tasks.stored('a')).uniqueKey).toBe(uniqueKey);
  });

  it('P-45 names the lock of a scheduled task too', async () => {
    await tasks.enqueue(unique('a', { place: later }));
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'scheduled', unique_key: uniqueKey });
  });

  it('P-26 locks a scheduled task for as long as the request says, waiting time included', async () => {
    await tasks.enqueue(unique('a', { place: later, uniqueForSeconds: 3_660 }));
    expect(await tasks.redis.ttl(uniqueKey)).toBeGreaterThan(3_655);
    expect(await tasks.redis.ttl(uniqueKey)).toBeLessThanOrEqual(3_660);
  });

  it.each<[string, Wanted]>([
    ['pending', {}],
    ['scheduled', { place: later }],
    ['grouped', grouped],
  ])('P-38 P-93 refuses an equal %s task and leaves the lock as it is', async (_, fields) => {
    await tasks.enqueue(unique('a', fields));
    await tasks.redis.expire(uniqueKey, 17);
    expect(await tasks.enqueue(unique('b', fields))).toEqual(['duplicate']);
    expect(await tasks.redis.get(uniqueKey)).toBe('a');
    expect(await tasks.redis.ttl(uniqueKey)).toBeLessThanOrEqual(17);
    expect(await tasks.redis.exists(taskKey(tasks.keys, 'b'))).toBe(0);
    expect(await tasks.placesOf('b')).toEqual([]);
  });

  it('P-38 refuses the second of two equal tasks of one batch', async () => {
    expect(await tasks.enqueue(unique('a'), unique('b'), { id: 'c' })).toEqual(['enqueued', 'duplicate', 'enqueued']);
    expect(await tasks.redis.get(uniqueKey)).toBe('a');
  });

  it('P-39 calls it a duplicate when both lock and id are taken', async () => {
    await tasks.enqueue({ id: 'b' });
    await tasks.redis.set(uniqueKey, 'a');
    expect(await tasks.enqueue(unique('b'))).toEqual(['duplicate']);
  });

  it('P-39 calls it a duplicate when the id itself holds the lock', async () => {
    await tasks.enqueue(unique('a'));
    expect(await tasks.enqueue(unique('a'))).toEqual(['duplicate']);
  });

  it('P-40 leaves no lock behind when the id is taken', async () => {
    await tasks.enqueue({ id: 'a' });
    expect(await tasks.enqueue(unique('a'))).toEqual(['id-conflict']);
    expect(await tasks.redis.exists(uniqueKey)).toBe(0);
  });

  it('takes an own lock for an earlier attempt that went through, but only for an id of this process', async () => {
    await tasks.enqueue(unique('a', { idIsGenerated: true }));
    const outcomes = await tasks.enqueue(
      unique('a', { idIsGenerated: true }),
      unique('b', { idIsGenerated: true }),
      unique('a'),
    );
    expect(outcomes).toEqual(['enqueued', 'duplicate', 'duplicate']);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['a']);
  });

  it('counts a lock of another type as held', async () => {
    await tasks.redis.lpush(uniqueKey, 'x');
    expect(await tasks.enqueue(unique('a'), { id: 'b' })).toEqual(['duplicate', 'enqueued']);
  });

  it('P-92 P-11 puts a grouped task into its group, at the second of now', async () => {
    expect(await tasks.enqueue({ id: 'a', ...grouped })).toEqual(['enqueued']);
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'aggregating', group: 'g' });
    expect(await tasks.redis.zscore(groupKey(tasks.keys, 'g'), 'a')).toBe(String(nowSeconds));
    expect(await tasks.redis.smembers(tasks.keys.groups)).toEqual(['g']);
    expect(await tasks.placesOf('a')).toEqual([]);
    expect((await tasks.stored('a')).group).toBe('g');
  });

  it('P-93 names the lock of a grouped task in its hash, so that an inspector can free it', async () => {
    await tasks.enqueue(unique('a', grouped));
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'aggregating', group: 'g', unique_key: uniqueKey });
  });

  it('P-36 P-20 refuses the id of a grouped task, and makes the queue of one known', async () => {
    await tasks.enqueue({ id: 'a', ...grouped });
    expect(await tasks.redis.sismember('asynq:queues', tasks.queue)).toBe(1);
    expect(await tasks.enqueue({ id: 'a', ...grouped, group: 'h' })).toEqual(['id-conflict']);
    expect(await tasks.redis.smembers(tasks.keys.groups)).toEqual(['g']);
  });

  it('locks nothing outside of the queue, whatever the record says', async () => {
    const foreign = `asynq:{${tasks.queue}-other}:unique:x:`;
    expect(await tasks.enqueue({ id: 'a', uniqueKey: foreign, uniqueForSeconds: 60 })).toEqual(['enqueued']);
    expect(await tasks.redis.exists(foreign)).toBe(0);
  });
});
