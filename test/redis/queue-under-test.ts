import type { Redis } from 'ioredis';
import type { EnqueueOutcome, EnqueueRequest } from '../../lib/model/broker/enqueue.contract.js';
import type { Settlement, SettleOutcome } from '../../lib/model/broker/work.contract.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { decodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { createRedisConnection } from '../../lib/redis/connection/create-connection.js';
import type { RedisConnection } from '../../lib/redis/connection/redis-connection.js';
import { dayKey, type QueueKeys, queueKeys, taskKey } from '../../lib/redis/keys.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { aMessage, ended, now, owner, type Wanted } from '../conformance/task-words.js';
import { deleteQueues, rawClient, sharedRedisUrl } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';

/** A queue of a test's own behind a broker, and a plain client that reads it as any other process does. */
export class QueueUnderTest {
  readonly keys: QueueKeys;

  private constructor(
    readonly queue: string,
    readonly redis: Redis,
    readonly broker: RedisBroker,
    readonly connection: RedisConnection,
  ) {
    this.keys = queueKeys(queue);
  }

  static open(options: { readonly queue?: string; readonly url?: string } = {}): QueueUnderTest {
    const url = options.url ?? sharedRedisUrl();
    const connection = createRedisConnection(url, { clock: systemClock });
    const queue = options.queue ?? uniqueQueue('broker');
    return new QueueUnderTest(queue, rawClient(url), new RedisBroker(connection), connection);
  }

  async close(): Promise<void> {
    await deleteQueues(this.redis, [this.queue]);
    await this.broker.close();
    this.redis.disconnect();
  }

  message(fields: Partial<TaskMessage> = {}): TaskMessage {
    return aMessage({ queue: this.queue, ...fields });
  }

  request({ place, uniqueForSeconds, idIsGenerated, ...fields }: Wanted = {}): EnqueueRequest {
    return {
      message: this.message(fields),
      place: place ?? { kind: 'pending' },
      uniqueForSeconds: uniqueForSeconds ?? 0,
      idIsGenerated: idIsGenerated ?? false,
    };
  }

  /** Enqueues in one call. */
  async enqueue(...wanted: readonly Wanted[]): Promise<readonly EnqueueOutcome[]> {
    return await this.broker.enqueue.enqueue(
      wanted.map((one) => this.request(one)),
      now,
    );
  }

  /** Takes tasks off the queue, as a server does. */
  async dequeue(limit = 1): ReturnType<RedisBroker['work']['dequeue']> {
    return await this.broker.work.dequeue({ queue: this.queue, limit, now, leaseUntil: addMs(now, ms(30_000)), owner });
  }

  /** Enqueues tasks and takes them all, so that they are running. */
  async running(...wanted: readonly Wanted[]): Promise<readonly TaskMessage[]> {
    await this.enqueue(...wanted);
    return (await this.dequeue(wanted.length)).messages;
  }

  async settle(...settlements: readonly Settlement[]): Promise<readonly SettleOutcome[]> {
    return await this.broker.work.settle({ queue: this.queue, owner, settlements: ended(settlements), now });
  }

  /** The fields of a task's hash; `msg` is read with {@link stored}. */
  async hash(id: string): Promise<Record<string, string>> {
    const { msg, ...fields } = await this.redis.hgetall(taskKey(this.keys, id));
    return msg === undefined ? fields : { ...fields, msg: 'bytes' };
  }

  /** The task message as it is stored now. */
  async stored(id: string): Promise<TaskMessage> {
    const bytes = await this.redis.hgetBuffer(taskKey(this.keys, id), 'msg');
    const decoded = decodeTaskMessage(bytes ?? Buffer.from('not there'));
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.message;
  }

  /** Every list and set that holds an id; twice when it is there twice. */
  async placesOf(id: string): Promise<string[]> {
    const found: string[] = [];
    for (const list of ['pending', 'active'] as const) {
      for (const member of await this.redis.lrange(this.keys[list], 0, -1)) if (member === id) found.push(list);
    }
    for (const set of ['lease', 'scheduled', 'retry', 'archived', 'completed', 'due'] as const) {
      if ((await this.redis.zscore(this.keys[set], id)) !== null) found.push(set);
    }
    return found;
  }

  /** What is counted: runs that ended and failures, in total and today. */
  async counters(): Promise<
    Readonly<Record<'processed' | 'failed' | 'processedToday' | 'failedToday', string | null>>
  > {
    const { processed, failed } = this.keys;
    return {
      processed: await this.redis.get(processed),
      failed: await this.redis.get(failed),
      processedToday: await this.redis.get(dayKey(processed, now)),
      failedToday: await this.redis.get(dayKey(failed, now)),
    };
  }
}
