import type { Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, type EpochMs, ms } from '../../lib/model/time/duration.js';
import { taskKey } from '../../lib/redis/keys.js';
import { now, nowSeconds, type Wanted } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

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

  it('P-78 puts a retried task into the retry set, and nowhere else', async () => {
    expect(await tasks.settle(retry(await one()))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['retry']);
    expect(await tasks.redis.zscore(tasks.keys.retry, 'a')).toBe(String(nowSeconds + 30));
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'retry' });
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
});
