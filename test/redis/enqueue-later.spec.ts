import type { SignalListener } from '../../lib/model/broker/presence.contract.js';
import { addMs, type EpochMs, ms } from '../../lib/model/time/duration.js';
import { until } from '../support/until.js';
import { now, nowSeconds, QueueUnderTest, type Wanted } from './queue-under-test.js';

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

  it('P-43 rounds a fraction of a second up for others and keeps it for us', async () => {
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

  it('lets the exact due times go by themselves, a minute after the last of them', async () => {
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

  it('forgets an exact time of an id that is now due at a whole second', async () => {
    await tasks.redis.zadd(tasks.keys.due, now + 100, 'a');
    await tasks.enqueue(later('a', after(750)));
    expect(await tasks.redis.exists(tasks.keys.due)).toBe(0);
  });

  it('takes hundreds in one call', async () => {
    const wanted = Array.from({ length: 1_200 }, (_, i) => later(`id-${i}`, after(1_000 + i)));
    expect(new Set(await tasks.enqueue(...wanted))).toEqual(new Set(['enqueued']));
    expect(await tasks.redis.zcard(tasks.keys.scheduled)).toBe(1_200);
  });

  describe('signals', () => {
    const heard: string[] = [];
    let unsubscribe: () => Promise<void>;
    beforeEach(async () => {
      heard.length = 0;
      const listener: SignalListener = {
        onCancel: () => {},
        onWake: (queue) => void (queue === tasks.queue && heard.push('wake')),
        onDue: (queue, dueAt) => void (queue === tasks.queue && heard.push(`due in ${dueAt - now}`)),
        onReconnect: () => {},
      };
      unsubscribe = await tasks.broker.presence.subscribe(listener);
    });
    afterEach(async () => await unsubscribe());

    /** Everything published so far has been heard once a signal sent after it has. */
    const everythingHeard = async (): Promise<readonly string[]> => {
      const last = `due in ${0 - now}`;
      await tasks.redis.publish('asynq:x:due', `0 ${tasks.queue}`);
      await until('the last signal is heard', () => heard.includes(last));
      return heard.splice(0).filter((signal) => signal !== last);
    };

    it('tell of a task that became the earliest due one, and of no other', async () => {
      await tasks.enqueue(later('a', after(60_000)));
      await tasks.enqueue(later('b', after(60_100)));
      await tasks.enqueue(later('c', after(60_000)));
      await tasks.enqueue(later('d', after(59_999)));
      await tasks.enqueue(later('e', after(90_000)), later('f', after(7_000)), later('g', after(8_000)));
      expect(await everythingHeard()).toEqual(['due in 60000', 'due in 59999', 'due in 7000']);
    });

    it('compare whole seconds and retries as well', async () => {
      await tasks.redis.zadd(tasks.keys.retry, nowSeconds + 30, 'waits');
      await tasks.enqueue(later('a', after(30_000)));
      await tasks.enqueue(later('b', after(29_750)));
      await tasks.enqueue(later('c', after(29_500)));
      await tasks.enqueue(later('d', after(28_750)));
      expect(await everythingHeard()).toEqual(['due in 29500', 'due in 28750']);
    });

    it('tell of a task in a queue that was empty', async () => {
      await tasks.enqueue({ id: 'a' });
      await tasks.enqueue({ id: 'b' });
      await tasks.enqueue({ id: 'a' });
      expect(await everythingHeard()).toEqual(['wake']);
      await tasks.dequeue(2);
      await tasks.enqueue(later('c', after(1)), { id: 'd' }, { id: 'e' });
      expect((await everythingHeard()).toSorted()).toEqual(['due in 1', 'wake']);
    });
  });
});
