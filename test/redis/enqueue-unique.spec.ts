import { addMs, ms } from '../../lib/model/time/duration.js';
import { groupKey, taskKey } from '../../lib/redis/keys.js';
import { now, nowSeconds, type Wanted } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

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

  it('P-25 holds the lock for the requested whole seconds, in the name of the task', async () => {
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

  it('counts a lock of another type as held', async () => {
    await tasks.redis.lpush(uniqueKey, 'x');
    expect(await tasks.enqueue(unique('a'), { id: 'b' })).toEqual(['duplicate', 'enqueued']);
  });

  it('takes over a lock whose holder left a hash without a message, but not one whose task key has another type', async () => {
    const holder = taskKey(tasks.keys, 'gone');
    await tasks.redis.set(uniqueKey, 'gone', 'EX', 600);
    await tasks.redis.lpush(holder, 'x');
    expect(await tasks.enqueue(unique('a'))).toEqual(['duplicate']);
    await tasks.redis.del(holder);
    await tasks.redis.hset(holder, 'state', 'retry');
    expect(await tasks.enqueue(unique('a'))).toEqual(['enqueued']);
    expect(await tasks.redis.ttl(uniqueKey)).toBeLessThanOrEqual(60);
  });

  it('P-92 P-11 puts a grouped task into its group, at the current second', async () => {
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
});
