import type { Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { dayKey, taskKey } from '../../lib/redis/keys.js';
import { ended, now, nowSeconds, owner, type Wanted } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

const maxInt64 = '9223372036854775807';

describe('settling success', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
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

  it('P-68 keeps a task with retention until it ends', async () => {
    const message = await one({ retentionSeconds: 3_600 });
    expect(await tasks.settle(complete(message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['completed']);
    expect(await tasks.redis.zscore(tasks.keys.completed, 'a')).toBe(String(nowSeconds + 3_600));
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'completed' });
    expect(await tasks.stored('a')).toEqual({ ...message, completedAtSeconds: nowSeconds });
    expect(await tasks.redis.ttl(taskKey(tasks.keys, 'a'))).toBe(-1);
  });

  it('P-29 P-30 keeps the counters of a day for 90 days from the first of them, and totals for ever', async () => {
    const [first, second] = await tasks.running({ id: 'a' }, { id: 'b' });
    const today = dayKey(tasks.keys.processed, now);
    const settleAt = async (message: TaskMessage | undefined, delay: number): Promise<void> => {
      const settlements = ended([done(message ?? tasks.message())]);
      await tasks.broker.work.settle({ queue: tasks.queue, owner, settlements, now: addMs(now, ms(delay)) });
    };
    await settleAt(first, 0);
    const expiresAt = Number(await tasks.redis.call('EXPIRETIME', today));
    expect(expiresAt).toBe(nowSeconds + 7_776_000);
    await settleAt(second, 1_000);
    expect(await tasks.redis.call('EXPIRETIME', today)).toBe(expiresAt);
    expect(await tasks.redis.ttl(tasks.keys.processed)).toBe(-1);
  });

  it('P-73 begins again at 1 when the total has come to its end', async () => {
    await tasks.redis.set(tasks.keys.processed, maxInt64);
    await tasks.redis.set(tasks.keys.failed, '7');
    await tasks.settle(done(await one()));
    expect(await tasks.counters()).toMatchObject({ processed: '1', failed: '7', processedToday: '1' });
  });

  it('settles even with a broken counter', async () => {
    const message = await one();
    await tasks.redis.set(tasks.keys.processed, 'not a number');
    await tasks.redis.lpush(dayKey(tasks.keys.processed, now), 'not a number');
    expect(await tasks.settle(done(message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual([]);
  });
});
