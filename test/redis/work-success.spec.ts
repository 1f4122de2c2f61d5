import type { Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { dayKey, taskKey } from '../../lib/redis/keys.js';
import { now, nowSeconds, QueueUnderTest, type Wanted } from './queue-under-test.js';

const maxInt64 = '9223372036854775807';

describe('settling success', () => {
  let tasks: QueueUnderTest;
  let uniqueKey: string;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
    uniqueKey = `asynq:{${tasks.queue}}:unique:email:send:`;
  });
  afterEach(async () => await tasks.close());

  const done = (message: TaskMessage): Settlement => ({ kind: 'done', message });
  const complete = (message: TaskMessage, result?: Uint8Array): Settlement => ({
    kind: 'complete',
    message: { ...message, completedAtSeconds: nowSeconds },
    expiresAt: addMs(now, ms(message.retentionSeconds * 1_000)),
    result,
  });
  const one = async (wanted: Wanted = {}): Promise<TaskMessage> => {
    const [message] = await tasks.running({ id: 'a', ...wanted });
    return message ?? tasks.message();
  };

  it('P-67 leaves nothing of a task without retention, not even its result', async () => {
    const message = await one();
    await tasks.broker.work.writeResult({ queue: tasks.queue, taskId: 'a', result: Buffer.from('r') });
    expect(await tasks.settle(done(message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual([]);
    expect(await tasks.redis.exists(taskKey(tasks.keys, 'a'))).toBe(0);
  });

  it('P-68 keeps a task with retention until it ends', async () => {
    const message = await one({ retentionSeconds: 3_600 });
    expect(await tasks.settle(complete(message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['completed']);
    expect(await tasks.redis.zscore(tasks.keys.completed, 'a')).toBe(String(nowSeconds + 3_600));
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'completed' });
    expect(await tasks.stored('a')).toEqual({ ...message, completedAtSeconds: nowSeconds });
    expect(await tasks.redis.ttl(taskKey(tasks.keys, 'a'))).toBe(-1);
  });

  it('P-69 P-28 counts one run of the UTC day, and no failure', async () => {
    await tasks.settle(done(await one()));
    expect(await tasks.counters()).toEqual({ processed: '1', failed: null, processedToday: '1', failedToday: null });
    await tasks.settle(complete(await one({ id: 'b', retentionSeconds: 60 })));
    expect(await tasks.counters()).toEqual({ processed: '2', failed: null, processedToday: '2', failedToday: null });
  });

  it('P-29 P-30 keeps the counters of a day for 90 days from the first of them, and totals for ever', async () => {
    const [first, second] = await tasks.running({ id: 'a' }, { id: 'b' });
    const today = dayKey(tasks.keys.processed, now);
    const settleAt = async (message: TaskMessage | undefined, delay: number): Promise<void> => {
      const settlement = done(message ?? tasks.message());
      await tasks.broker.work.settle(tasks.queue, [settlement], addMs(now, ms(delay)));
    };
    await settleAt(first, 0);
    const expiresAt = Number(await tasks.redis.call('EXPIRETIME', today));
    expect(expiresAt).toBe(nowSeconds + 7_776_000);
    await settleAt(second, 1_000);
    expect(await tasks.redis.call('EXPIRETIME', today)).toBe(expiresAt);
    expect(await tasks.redis.ttl(tasks.keys.processed)).toBe(-1);
  });

  it('P-70 frees the lock of the task', async () => {
    await tasks.settle(done(await one({ uniqueKey, uniqueForSeconds: 60 })));
    expect(await tasks.redis.exists(uniqueKey)).toBe(0);
  });

  it('P-71 leaves the lock of another task', async () => {
    const message = await one({ uniqueKey, uniqueForSeconds: 60 });
    await tasks.redis.set(uniqueKey, 'newer', 'EX', 60);
    await tasks.settle(done(message));
    expect(await tasks.redis.get(uniqueKey)).toBe('newer');
  });

  it('P-72 frees the lock at completion, not when retention ends', async () => {
    await tasks.settle(complete(await one({ uniqueKey, uniqueForSeconds: 60, retentionSeconds: 60 })));
    expect(await tasks.redis.exists(uniqueKey)).toBe(0);
  });

  it('P-70 frees the locks of some tasks of a batch and of no others', async () => {
    const messages = await tasks.running(
      { id: 'a', uniqueKey: `${uniqueKey}a`, uniqueForSeconds: 60 },
      { id: 'b' },
      { id: 'c', uniqueKey: `${uniqueKey}c`, uniqueForSeconds: 60 },
      { id: 'd', uniqueKey: `${uniqueKey}d`, uniqueForSeconds: 60 },
    );
    await tasks.settle(...messages.slice(0, 3).map(done));
    expect(await tasks.redis.keys(`${uniqueKey}*`)).toEqual([`${uniqueKey}d`]);
  });

  it('P-73 begins again at 1 when the total has come to its end', async () => {
    await tasks.redis.set(tasks.keys.processed, maxInt64);
    await tasks.redis.set(tasks.keys.failed, '7');
    await tasks.settle(done(await one()));
    expect(await tasks.counters()).toMatchObject({ processed: '1', failed: '7', processedToday: '1' });
  });

  it('P-74 keeps the result while the task is completed', async () => {
    const message = await one({ retentionSeconds: 60 });
    await tasks.broker.work.writeResult({ queue: tasks.queue, taskId: 'a', result: Buffer.from([0, 255]) });
    await tasks.settle(complete(message));
    expect(await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'result')).toEqual(Buffer.from([0, 255]));
  });

  it('P-74 stores a result with the completion, which replaces an earlier one, even by nothing', async () => {
    const messages = await tasks.running({ id: 'a', retentionSeconds: 60 }, { id: 'b', retentionSeconds: 60 });
    for (const { id } of messages) {
      await tasks.broker.work.writeResult({ queue: tasks.queue, taskId: id, result: Buffer.from('earlier') });
    }
    const [first, second] = messages;
    await tasks.settle(
      complete(first ?? tasks.message(), new Uint8Array([1, 2])),
      complete(second ?? tasks.message(), Buffer.alloc(0)),
    );
    expect(await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'result')).toEqual(Buffer.from([1, 2]));
    expect(await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'b'), 'result')).toEqual(Buffer.alloc(0));
  });

  it('writes no result for a task that is gone, so that its id stays free', async () => {
    const write = { queue: tasks.queue, taskId: 'a', result: Buffer.from('r') };
    expect(await tasks.broker.work.writeResult(write)).toBe(false);
    expect(await tasks.redis.exists(taskKey(tasks.keys, 'a'))).toBe(0);
    await one();
    expect(await tasks.broker.work.writeResult(write)).toBe(true);
  });

  it('P-76 refuses a task that is not active, counts nothing and changes nothing', async () => {
    await tasks.enqueue({ id: 'a', uniqueKey, uniqueForSeconds: 60 });
    const message = tasks.message({ id: 'a', uniqueKey });
    expect(await tasks.settle(done(message), complete(tasks.message({ id: 'b' })))).toEqual([
      'not-active',
      'not-active',
    ]);
    expect(await tasks.placesOf('a')).toEqual(['pending']);
    expect(await tasks.redis.get(uniqueKey)).toBe('a');
    expect(await tasks.redis.exists(taskKey(tasks.keys, 'b'))).toBe(0);
    expect(await tasks.counters()).toEqual({ processed: null, failed: null, processedToday: null, failedToday: null });
  });

  it('counts a batch once for each task that was settled', async () => {
    const messages = await tasks.running(...Array.from({ length: 700 }, (_, i) => ({ id: `id-${i}` })));
    const outcomes = await tasks.settle(done(tasks.message({ id: 'gone' })), ...messages.map(done));
    expect(outcomes[0]).toBe('not-active');
    expect(new Set(outcomes.slice(1))).toEqual(new Set(['settled']));
    expect(await tasks.counters()).toMatchObject({ processed: '700', processedToday: '700' });
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix}*`)).toEqual([]);
  });

  it('settles with a broken counter all the same', async () => {
    const message = await one();
    await tasks.redis.set(tasks.keys.processed, 'not a number');
    await tasks.redis.lpush(dayKey(tasks.keys.processed, now), 'not a number');
    expect(await tasks.settle(done(message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual([]);
  });

  it('removes what was noted for the running task only', async () => {
    const message = await one({ retentionSeconds: 60 });
    await tasks.redis.hset(taskKey(tasks.keys, 'a'), { 'x:cancel': 'archive', 'x:returned': '2' });
    await tasks.settle(complete(message));
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'completed', 'x:returned': '2' });
  });
});
