import type { Redis } from 'ioredis';
import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import { openBroker } from '../../lib/engine/open-broker.js';
import { AsynqScheduler } from '../../lib/engine/scheduler/asynq-scheduler.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { queueKeys } from '../../lib/redis/keys.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { deleteQueues, rawClient, sharedRedisUrl } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';

describe('what storage worked around, in processes without a server', () => {
  let redis: Redis;
  let queue: string;
  let logger: RecordingLogger;
  const closing: (() => Promise<unknown>)[] = [];
  beforeEach(() => {
    redis = rawClient();
    queue = uniqueQueue('reporter');
    logger = new RecordingLogger();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await deleteQueues(redis, [queue]);
    redis.disconnect();
  });

  const aClient = (borrowed = false): AsynqClient => {
    const client = new AsynqClient({ ...where(borrowed), logger, defaults: { queue } });
    closing.push(async () => await client.close());
    return client;
  };
  const aScheduler = (borrowed = false): AsynqScheduler => {
    const scheduler = new AsynqScheduler({ ...where(borrowed), logger, defaults: { queue } });
    scheduler.register('@hourly', 'tick', undefined, { id: 'tick' });
    closing.push(async () => await scheduler.shutdown());
    return scheduler;
  };
  const where = (borrowed: boolean) => {
    if (!borrowed) return { redis: sharedRedisUrl() };
    const broker = openBroker(sharedRedisUrl(), { clock: systemClock, logger });
    closing.push(async () => await broker.close());
    return { broker };
  };
  const spoilPending = async (): Promise<string> => {
    const { pending } = queueKeys(queue);
    await redis.set(pending, 'not a list');
    return `Key "${pending}" must be a list but is a string: operations that need it fail until it is deleted`;
  };
  /** Ids in the archive, old enough to go, whose tasks are gone. */
  const loseArchived = async (count: number): Promise<void> => {
    const ghosts = Array.from({ length: count }, (_, i) => `ghost-${i}`);
    await redis.zadd(queueKeys(queue).archived, ...ghosts.flatMap((id) => [1, id]));
  };
  const cancelOne = async (client: AsynqClient): Promise<void> => {
    await client.cancel(await client.enqueue('later', undefined, { processIn: '1h' }));
  };

  it('is logged by a client: a key of a wrong type once, lost tasks with their number', async () => {
    const line = await spoilPending();
    await loseArchived(30);
    const client = aClient();
    for (let i = 0; i < 3; i += 1) await expect(client.enqueue('now', i, { unique: '1m' })).rejects.toThrow();
    await cancelOne(client);
    expect(logger.messages('error')).toEqual([line]);
    expect(logger.messages('warn')).toEqual([
      `30 tasks of queue "${queue}" (archived) lost: they are no longer stored, because somebody deleted or Redis evicted them`,
    ]);
  });

  it('is logged by a client once in 30 s for each place, with the total', async () => {
    const client = aClient();
    for (let i = 0; i < 3; i += 1) {
      await loseArchived(10);
      await cancelOne(client);
    }
    expect(logger.messages('warn')).toHaveLength(1);
    await client.close();
    expect(logger.messages('warn')).toEqual([
      expect.stringMatching(/^10 tasks of queue/),
      expect.stringMatching(/^10 tasks of queue .* \(and 10 more in the last \d+ s\)$/),
    ]);
  });

  it('is logged and emitted by a scheduler', async () => {
    const line = await spoilPending();
    const scheduler = aScheduler();
    const events: unknown[] = [];
    scheduler.events.on('wrongType', (event) => events.push(event));
    for (let i = 0; i < 2; i += 1) await expect(scheduler.runNow('tick')).rejects.toThrow();
    expect(logger.messages('error')).toEqual([line]);
    expect(events).toEqual([{ queue, key: queueKeys(queue).pending, expected: 'list', found: 'string' }]);
  });

  it('is left to its owner when the broker is shared', async () => {
    await spoilPending();
    await loseArchived(1);
    const client = aClient(true);
    await expect(client.enqueue('now', 1, { unique: '1m' })).rejects.toThrow();
    await cancelOne(client);
    await expect(aScheduler(true).runNow('tick')).rejects.toThrow();
    expect(logger.messages()).toEqual([]);
  });
});
