import type { TickOutcome, TickRequest } from '../../lib/model/broker/schedule.contract.js';
import { decodePublishedSchedule, decodeScheduleEvent } from '../../lib/model/cron/published-schedule.codec.js';
import type { PublishedSchedule } from '../../lib/model/cron/published-schedule.js';
import { addMs, type EpochMs, epochMs, ms } from '../../lib/model/time/duration.js';
import { queueKeys, ticksKey } from '../../lib/redis/keys.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { now, nowSeconds, type Wanted } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';
import { useOwnRedis } from '../support/redis-server.js';

useOwnRedis();

const firstTick = epochMs(nowSeconds * 1_000);
const tickAfter = (seconds: number): EpochMs => addMs(firstTick, ms(seconds * 1_000));

describe('a tick', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  /** A tick whose task is told apart by its id; schedulers draw ids at random. */
  const enqueueTick = async (
    wanted: Partial<Pick<TickRequest, 'tick' | 'overlap' | 'schedule'>> & Wanted = {},
  ): Promise<TickOutcome> => {
    const { tick = firstTick, overlap = 'allow', schedule = 'backup', ...task } = wanted;
    const request = tasks.request({ idIsGenerated: true, ...task });
    return await tasks.broker.schedules.enqueueTick({ schedule, tick, overlap, request, now });
  };
  const pendingIds = async (): Promise<string[]> => (await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toReversed();

  it('leaves a bounded number of records, which expire 400 days after the last one', async () => {
    for (let second = 0; second < 2_500; second += 50) {
      await enqueueTick({ id: `task-${second}`, tick: tickAfter(second) });
    }
    const key = ticksKey(tasks.queue, 'backup');
    // Twice ten minutes' worth, and the three notes about the schedule.
    expect(await tasks.redis.hlen(key)).toBeLessThanOrEqual(2 * 13 + 3);
    const ttl = await tasks.redis.ttl(key);
    expect(ttl).toBeGreaterThan(400 * 86_400 - 60);
    expect(ttl).toBeLessThanOrEqual(400 * 86_400);
  });

  it('writes nothing when the records are damaged', async () => {
    await tasks.redis.set(ticksKey(tasks.queue, 'backup'), 'not a hash');
    await expect(enqueueTick({ id: 'a' })).rejects.toMatchObject({ code: 'ASYNQ_BROKER_COMMAND' });
    expect(await pendingIds()).toEqual([]);
    expect(await tasks.hash('a')).toEqual({});
  });
});

describe('what a scheduler publishes', () => {
  let tasks: QueueUnderTest;
  let schedulerId: string;
  let key: string;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
    schedulerId = `host:1:${uniqueQueue('scheduler')}`;
    key = `asynq:schedulers:{${schedulerId}}`;
  });
  afterEach(async () => {
    await tasks.redis.del(key);
    await tasks.redis.zrem('asynq:schedulers', key);
    await tasks.close();
  });

  const anEntry = (fields: Partial<PublishedSchedule> = {}): PublishedSchedule => ({
    id: 'entry',
    spec: '0 2 * * *',
    taskType: 'backup',
    taskPayload: Buffer.from('{}'),
    options: ['Queue("low")'],
    nextEnqueueAt: tickAfter(60),
    previousEnqueueAt: undefined,
    ...fields,
  });
  const publish = async (entries: readonly PublishedSchedule[], ttl = ms(20_000)): Promise<void> =>
    await tasks.broker.schedules.publishSchedules({ schedulerId, schedules: entries, ttl, now });

  it('P-108 is a list with a time to live and a member of the schedulers, and is gone when cleared', async () => {
    await publish([anEntry({ id: 'one' }), anEntry({ id: 'two' })]);
    const records = (await tasks.redis.lrangeBuffer(key, 0, -1)).map((record) => decodePublishedSchedule(record));
    expect(records.map((entry) => entry.ok && entry.value.id)).toEqual(['two', 'one']);
    expect(await tasks.redis.ttl(key)).toBeGreaterThan(18);
    expect(await tasks.redis.zscore('asynq:schedulers', key)).toBe(String(nowSeconds + 20));

    await publish([anEntry({ id: 'three' })]);
    expect(await tasks.redis.llen(key)).toBe(1);

    await tasks.broker.schedules.clearSchedules(schedulerId);
    expect(await tasks.redis.exists(key)).toBe(0);
    expect(await tasks.redis.zscore('asynq:schedulers', key)).toBeNull();
  });

  it('P-108 has no list while there are no schedules, but is registered', async () => {
    await publish([anEntry()]);
    await publish([]);
    expect(await tasks.redis.exists(key)).toBe(0);
    expect(await tasks.redis.zscore('asynq:schedulers', key)).not.toBeNull();
  });

  it('P-16 has the year 1 for a schedule that never ticked', async () => {
    await publish([anEntry({ previousEnqueueAt: undefined })]);
    const record = (await tasks.redis.lindexBuffer(key, 0)) ?? Buffer.alloc(0);
    // Field 7, eleven bytes long: seconds, a varint of -62135596800.
    expect(record.subarray(-13).toString('hex')).toBe('3a0b088092b8c398feffffff01');
  });

  it('expires after whole seconds, rounded up', async () => {
    await publish([anEntry()], ms(1_001));
    expect(await tasks.redis.pttl(key)).toBeGreaterThan(1_001);
    expect(await tasks.redis.zscore('asynq:schedulers', key)).toBe(String(nowSeconds + 2));
  });

  it('can be ten thousand schedules', async () => {
    await publish(Array.from({ length: 10_000 }, (_, i) => anEntry({ id: `entry-${i}` })));
    expect(await tasks.redis.llen(key)).toBe(10_000);
  });
});

describe('the history of a schedule', () => {
  const scheduleId = uniqueQueue('entry');
  const key = `asynq:scheduler_history:${scheduleId}`;
  const record = async (tasks: QueueUnderTest, taskId: string, enqueuedAt: EpochMs): Promise<void> =>
    await tasks.broker.schedules.recordEvent({ scheduleId, event: { taskId, enqueuedAt }, ttl: ms(90_000) });

  it('P-109 has a member for each firing, scored by its second, the newest 1,000 of them, for a while', async () => {
    const tasks = QueueUnderTest.open();
    await Promise.all(Array.from({ length: 1_002 }, (_, i) => record(tasks, `task-${i}`, tickAfter(i))));
    expect(await tasks.redis.zcard(key)).toBe(1_000);
    const [oldest] = await tasks.redis.zrangeBuffer(key, 0, '0');
    expect(decodeScheduleEvent(oldest ?? Buffer.alloc(0))).toMatchObject({
      value: { taskId: 'task-2', enqueuedAt: tickAfter(2) },
    });
    const [, score] = await tasks.redis.zrange(key, 0, '0', 'WITHSCORES');
    expect(score).toBe(String(nowSeconds + 2));
    const ttl = await tasks.redis.ttl(key);
    expect(ttl).toBeGreaterThan(80);
    expect(ttl).toBeLessThanOrEqual(90);
    await tasks.redis.del(key);
    await tasks.close();
  });

  it('keeps ticks with their queue, where only our own programs look', () => {
    const { pending } = queueKeys('low');
    expect(ticksKey('low', 'backup')).toBe(`${pending.replace('pending', '')}x:cron:backup`);
  });
});
