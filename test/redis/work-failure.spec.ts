import type { Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, type EpochMs, ms } from '../../lib/model/time/duration.js';
import { taskKey } from '../../lib/redis/keys.js';
import { now, nowSeconds, QueueUnderTest, type Wanted } from './queue-under-test.js';

describe('settling without success', () => {
  let tasks: QueueUnderTest;
  let uniqueKey: string;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
    uniqueKey = `asynq:{${tasks.queue}}:unique:email:send:`;
  });
  afterEach(async () => await tasks.close());

  const after = (delay: number): EpochMs => addMs(now, ms(delay));
  const failed = { errorMessage: 'boom', lastFailedAtSeconds: nowSeconds } as const;
  const retry = (message: TaskMessage, counts: 'as-failure' | 'not' = 'as-failure', delay = 29_750): Settlement => ({
    kind: 'retry',
    message: { ...message, ...failed, retried: message.retried + (counts === 'not' ? 0 : 1) },
    retryAt: after(delay),
    counts,
  });
  const one = async (wanted: Wanted = {}): Promise<TaskMessage> => {
    const [message] = await tasks.running({ id: 'a', ...wanted });
    return message ?? tasks.message();
  };
  const nothingCounted = { processed: null, failed: null, processedToday: null, failedToday: null };

  it('P-78 puts a retried task where it waits, and nowhere else', async () => {
    expect(await tasks.settle(retry(await one()))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['retry']);
    expect(await tasks.redis.zscore(tasks.keys.retry, 'a')).toBe(String(nowSeconds + 30));
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'retry' });
  });

  it('P-78 rounds its time up to a second for others and keeps it exactly for us', async () => {
    await tasks.settle(retry(await one(), 'as-failure', 10_500));
    expect(await tasks.redis.zscore(tasks.keys.retry, 'a')).toBe(String(nowSeconds + 11));
    expect(await tasks.redis.zscore(tasks.keys.due, 'a')).toBe(String(now + 10_500));
  });

  it('P-79 writes retried, error and time into the record, and leaves the rest', async () => {
    const message = await one({ headers: { k: 'v' }, retried: 2, payload: Buffer.from([0xff]) });
    await tasks.settle(retry(message));
    expect(await tasks.stored('a')).toEqual({ ...message, ...failed, retried: 3 });
  });

  it('P-12 stores an error text that is no valid Unicode as one that is', async () => {
    const message = await one();
    await tasks.settle({ ...retry(message), message: { ...message, errorMessage: 'half \ud83d of it' } });
    expect((await tasks.stored('a')).errorMessage).toBe('half \ufffd of it');
  });

  it('P-80 counts a failure in all four counters', async () => {
    const [first, second] = await tasks.running({ id: 'a' }, { id: 'b' });
    await tasks.settle(retry(first ?? tasks.message()), retry(second ?? tasks.message()));
    expect(await tasks.counters()).toEqual({ processed: '2', failed: '2', processedToday: '2', failedToday: '2' });
  });

  it('P-81 counts nothing for what is no failure', async () => {
    const [first, second] = await tasks.running({ id: 'a' }, { id: 'b' });
    await tasks.settle(retry(first ?? tasks.message(), 'not'));
    expect(await tasks.counters()).toEqual(nothingCounted);
    expect(await tasks.stored('a')).toMatchObject({ ...failed, retried: 0 });
    await tasks.settle(retry(second ?? tasks.message()));
    expect(await tasks.counters()).toMatchObject({ processed: '1', failed: '1' });
  });

  it('P-82 keeps lock and fields of a retried task, but what was noted for its run', async () => {
    const message = await one({ uniqueKey, uniqueForSeconds: 60 });
    await tasks.redis.hset(taskKey(tasks.keys, 'a'), { group: 'g', result: 'r', 'x:cancel': 'retry' });
    await tasks.redis.expire(uniqueKey, 17);
    await tasks.settle(retry(message));
    const kept = { msg: 'bytes', state: 'retry', unique_key: uniqueKey, group: 'g', result: 'r' };
    expect(await tasks.hash('a')).toEqual(kept);
    expect(await tasks.redis.ttl(uniqueKey)).toBeLessThanOrEqual(17);
    expect(await tasks.redis.get(uniqueKey)).toBe('a');
  });

  it('P-89 begins both totals again at 1 when that of processed has come to its end', async () => {
    await tasks.redis.set(tasks.keys.processed, '9223372036854775807');
    await tasks.redis.set(tasks.keys.failed, '12');
    await tasks.settle(retry(await one()));
    expect(await tasks.counters()).toMatchObject({ processed: '1', failed: '1' });
  });

  it('Q-21 stores a task again whose hash was lost while it ran', async () => {
    const messages = await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
    await tasks.redis.del(...messages.map(({ id }) => taskKey(tasks.keys, id)));
    const [a, b, c] = messages.map((message) => ({ message }));
    await tasks.settle(
      retry(a?.message ?? tasks.message()),
      { kind: 'requeue', message: b?.message ?? tasks.message() },
      { kind: 'snooze', message: c?.message ?? tasks.message(), until: after(5_000) },
    );
    for (const message of messages) expect((await tasks.stored(message.id)).type).toBe(message.type);
    expect((await tasks.dequeue()).messages).toEqual([b?.message]);
  });

  it('P-90 P-91 gives a requeued task back to the head of its queue, unchanged', async () => {
    const message = await one({ uniqueKey, uniqueForSeconds: 60, headers: { k: 'v' } });
    await tasks.enqueue({ id: 'b' });
    const record = await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'msg');
    expect(await tasks.settle({ kind: 'requeue', message })).toEqual(['settled']);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['b', 'a']);
    expect(await tasks.placesOf('a')).toEqual(['pending']);
    expect(await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'msg')).toEqual(record);
    const fields = { msg: 'bytes', state: 'pending', unique_key: uniqueKey, pending_since: `${now}000000` };
    expect(await tasks.hash('a')).toEqual(fields);
    expect(await tasks.redis.get(uniqueKey)).toBe('a');
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  it('P-90 dequeues the first of several requeued tasks first, however many they are', async () => {
    const ids = Array.from({ length: 650 }, (_, i) => `id-${i}`);
    const messages = await tasks.running(...ids.map((id) => ({ id })));
    await tasks.settle(...messages.map((message) => ({ kind: 'requeue' as const, message })));
    expect((await tasks.dequeue(650)).messages.map(({ id }) => id)).toEqual(ids);
  });

  it('snoozes into the scheduled set and counts nothing', async () => {
    const message = await one({ uniqueKey, uniqueForSeconds: 60 });
    expect(await tasks.settle({ kind: 'snooze', message, until: after(4_000) })).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['scheduled', 'due']);
    expect(await tasks.redis.zscore(tasks.keys.scheduled, 'a')).toBe(String(nowSeconds + 5));
    expect(await tasks.redis.zscore(tasks.keys.due, 'a')).toBe(String(now + 4_000));
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'scheduled', unique_key: uniqueKey });
    expect(await tasks.stored('a')).toEqual(message);
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  it('returns a task with a delay that doubles each time, up to the longest', async () => {
    const delays: number[] = [];
    const returned = { kind: 'return', first: ms(1_000), longest: ms(5_000) } as const;
    const message = await one();
    for (let i = 0; i < 5; i++) {
      expect(await tasks.settle({ ...returned, message })).toEqual(['settled']);
      delays.push(Number(await tasks.redis.zscore(tasks.keys.due, 'a')) - now);
      await tasks.redis.zrem(tasks.keys.scheduled, 'a');
      await tasks.redis.rpush(tasks.keys.pending, 'a');
      await tasks.dequeue();
    }
    expect(delays).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    expect(await tasks.hash('a')).toMatchObject({ 'x:returned': '5' });
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  it('deletes a canceled task with its lock, and counts nothing', async () => {
    const messages = await tasks.running({ id: 'a', uniqueKey, uniqueForSeconds: 60 }, { id: 'b' });
    await tasks.settle(...messages.map((message) => ({ kind: 'delete' as const, message })));
    expect(await tasks.redis.exists(uniqueKey, taskKey(tasks.keys, 'a'), taskKey(tasks.keys, 'b'))).toBe(0);
    expect(await tasks.placesOf('a')).toEqual([]);
    expect(await tasks.counters()).toEqual(nothingCounted);
  });
});
