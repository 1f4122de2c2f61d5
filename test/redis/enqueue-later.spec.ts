import { addMs, type EpochMs, ms } from '../../lib/model/time/duration.js';
import { now, nowSeconds, type Wanted } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

describe('enqueueing to run later', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  const later = (id: string, processAt: EpochMs): Wanted => ({ id, place: { kind: 'scheduled', processAt } });
  const after = (delay: number): EpochMs => addMs(now, ms(delay));

  it('P-43 P-44 P-20 waits in the scheduled set with its due second', async () => {
    expect(await tasks.enqueue(later('a', after(59_750)))).toEqual(['enqueued']);
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'scheduled' });
    expect(await tasks.redis.zscore(tasks.keys.scheduled, 'a')).toBe(String(nowSeconds + 60));
    expect(await tasks.placesOf('a')).toEqual(['scheduled']);
    expect(await tasks.redis.sismember('asynq:queues', tasks.queue)).toBe(1);
  });

  it('P-43 rounds a fraction of a second up for other programs and keeps it for ours', async () => {
    await tasks.enqueue(later('a', after(10_000)));
    expect(await tasks.redis.zscore(tasks.keys.scheduled, 'a')).toBe(String(nowSeconds + 11));
    expect(await tasks.redis.zscore(tasks.keys.due, 'a')).toBe(String(now + 10_000));
  });

  it('P-53 writes no group that Go reads for a task with a group and a delay', async () => {
    await tasks.enqueue({ ...later('a', after(5_000)), group: 'g' });
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'scheduled', 'x:group': 'g' });
    expect(await tasks.redis.exists(tasks.keys.groups)).toBe(0);
    expect((await tasks.stored('a')).group).toBe('g');
  });

  it('lets the exact due times expire, a minute after the last of them', async () => {
    await tasks.enqueue(later('a', after(3_600_000)));
    const ttl = await tasks.redis.pttl(tasks.keys.due);
    expect(ttl).toBeGreaterThan(3_650_000);
    expect(ttl).toBeLessThanOrEqual(3_660_000);
    await tasks.enqueue(later('b', after(1_000)));
    expect(await tasks.redis.pttl(tasks.keys.due)).toBeGreaterThan(3_650_000);
  });

  it('drops exact due times that have been over for a minute', async () => {
    await tasks.redis.zadd(tasks.keys.due, now - 60_001, 'old', now - 59_000, 'young');
    await tasks.enqueue(later('a', after(1_000)));
    expect(await tasks.redis.zrange(tasks.keys.due, 0, '-1')).toEqual(['young', 'a']);
  });

  it('forgets the exact time of an id that is now due at a whole second', async () => {
    await tasks.redis.zadd(tasks.keys.due, now + 100, 'a');
    await tasks.enqueue(later('a', after(750)));
    expect(await tasks.redis.exists(tasks.keys.due)).toBe(0);
  });
});
