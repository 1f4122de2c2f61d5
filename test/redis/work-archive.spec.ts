import type { Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { taskKey } from '../../lib/redis/keys.js';
import { now, nowSeconds, type Wanted } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

const ninetyDays = 90 * 86_400;

describe('archiving', () => {
  let tasks: QueueUnderTest;
  let uniqueKey: string;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
    uniqueKey = `asynq:{${tasks.queue}}:unique:email:send:`;
  });
  afterEach(async () => await tasks.close());

  const failed = { errorMessage: 'boom', lastFailedAtSeconds: nowSeconds } as const;
  const archive = (message: TaskMessage): Settlement => ({ kind: 'archive', message: { ...message, ...failed } });
  const one = async (wanted: Wanted = {}): Promise<TaskMessage> => {
    const [message] = await tasks.running({ id: 'a', ...wanted });
    return message ?? tasks.message();
  };
  /** Archived tasks as any process may have left them: the i-th at `score(i)`, with its hash. */
  const givenArchived = async (count: number, score: (i: number) => number): Promise<void> => {
    const pipeline = tasks.redis.pipeline();
    for (let i = 0; i < count; i++) {
      pipeline.zadd(tasks.keys.archived, score(i), `old-${i}`);
      pipeline.hset(taskKey(tasks.keys, `old-${i}`), { msg: 'm', state: 'archived' });
    }
    await pipeline.exec();
  };
  const storedTasks = async (): Promise<number> => (await tasks.redis.keys(`${tasks.keys.taskPrefix}*`)).length;

  it('P-83 keeps the task with its error, at the second of now', async () => {
    const message = await one({ retried: 3 });
    expect(await tasks.settle(archive(message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['archived']);
    expect(await tasks.redis.zscore(tasks.keys.archived, 'a')).toBe(String(nowSeconds));
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'archived' });
    expect(await tasks.stored('a')).toEqual({ ...message, ...failed, retried: 3 });
    expect(await tasks.redis.ttl(taskKey(tasks.keys, 'a'))).toBe(-1);
  });

  it('P-88 trims any number, some at a time, even where Go got stuck', async () => {
    await givenArchived(12_000, (i) => (i < 3_000 ? nowSeconds - ninetyDays - 5 : nowSeconds - 20_000 + i));
    const hashless = Array.from({ length: 9_000 }, (_, i) => [nowSeconds - 25_000, `hashless-${i}`]);
    await tasks.redis.zadd(tasks.keys.archived, ...hashless.flat());
    expect(await tasks.settle(archive(await one()))).toEqual(['settled']);
    expect(await tasks.redis.zcard(tasks.keys.archived)).toBe(21_001 - 100);
    const { maintenance } = tasks.broker;
    for (let deleted = 1; deleted > 0;) {
      deleted = await maintenance.deleteExpiredCompleted({ queue: tasks.queue, now, limit: 1_000 });
    }
    expect(await tasks.redis.zcard(tasks.keys.archived)).toBe(9_999);
    expect(await storedTasks()).toBe(9_001);
    expect(await tasks.counters()).toMatchObject({ failed: '1' });
  });

  it('Q-06 frees the locks of tasks it trims, and none that another task holds or that is not the queue’s', async () => {
    const foreign = `${tasks.queue}-foreign`;
    await givenArchived(3, () => nowSeconds - ninetyDays);
    await tasks.redis.mset({ [uniqueKey]: 'old-0', [`${uniqueKey}1`]: 'newer', [foreign]: 'old-2' });
    await tasks.redis.hset(taskKey(tasks.keys, 'old-0'), 'unique_key', uniqueKey);
    await tasks.redis.hset(taskKey(tasks.keys, 'old-1'), 'unique_key', `${uniqueKey}1`);
    await tasks.redis.hset(taskKey(tasks.keys, 'old-2'), 'unique_key', foreign);
    await tasks.settle(archive(await one()));
    expect(await tasks.redis.mget(uniqueKey, `${uniqueKey}1`, foreign)).toEqual([null, 'newer', 'old-2']);
    expect(await storedTasks()).toBe(1);
    await tasks.redis.del(foreign);
  });
});
