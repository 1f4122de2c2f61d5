import type { Redis } from 'ioredis';
import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import type { ClientOptions } from '../../../lib/engine/client/client-options.js';
import { silentLogger } from '../../../lib/engine/logger.js';
import { openBroker } from '../../../lib/engine/open-broker.js';
import { systemClock } from '../../../lib/engine/system-clock.js';
import type { Broker } from '../../../lib/model/broker/broker.js';
import { decodeTaskMessage } from '../../../lib/model/task/task-message.codec.js';
import type { TaskMessage } from '../../../lib/model/task/task-message.js';
import type { Clock } from '../../../lib/model/time/clock.js';
import { epochMs } from '../../../lib/model/time/duration.js';
import { type QueueKeys, queueKeys, taskKey } from '../../../lib/redis/keys.js';
import { deleteQueues, rawClient, sharedRedisUrl } from '../../support/redis-server.js';
import { uniqueQueue } from '../../support/unique-queue.js';

/** The instant at which most of these tests take place: not a whole second. */
export const now = new Date('2030-06-15T12:00:00.250Z');
export const nowSeconds = Math.floor(now.getTime() / 1_000);

/** A clock that stands still at {@link now}; timers run in real time. */
export const standingClock: Clock = { ...systemClock, now: () => epochMs(now.getTime()) };

/** A client with a queue of the test's own, and a plain connection that reads what it wrote. */
export class ClientUnderTest {
  readonly queue = uniqueQueue('client');
  readonly keys: QueueKeys = queueKeys(this.queue);
  readonly redis: Redis;
  readonly broker: Broker;
  readonly client: AsynqClient;
  readonly #queues: string[] = [this.queue];

  private constructor(options: ClientOptions) {
    this.redis = rawClient();
    this.broker = options.broker ?? openBroker(sharedRedisUrl(), { clock: systemClock, logger: silentLogger });
    this.client = new AsynqClient({
      clock: standingClock,
      defaults: { queue: this.queue },
      ...options,
      broker: this.broker,
    });
  }

  static open(options: ClientOptions = {}): ClientUnderTest {
    return new ClientUnderTest(options);
  }

  async close(): Promise<void> {
    await this.client.close();
    await deleteQueues(this.redis, this.#queues);
    await this.broker.close();
    this.redis.disconnect();
  }

  /** A further queue, which is cleaned up, too. */
  anotherQueue(name = uniqueQueue('client')): string {
    this.#queues.push(name);
    return name;
  }

  async messageOf(id: string, queue = this.queue): Promise<TaskMessage> {
    const bytes = await this.redis.hgetBuffer(taskKey(queueKeys(queue), id), 'msg');
    if (bytes === null) throw new Error(`no task ${id} in ${queue}`);
    const outcome = decodeTaskMessage(bytes);
    if (!outcome.ok) throw new Error(outcome.reason);
    return outcome.message;
  }

  async fieldsOf(id: string, queue = this.queue): Promise<Record<string, string>> {
    return await this.redis.hgetall(taskKey(queueKeys(queue), id));
  }

  /** Ids that wait to run, next one first. */
  async pendingIds(queue = this.queue): Promise<string[]> {
    return (await this.redis.lrange(queueKeys(queue).pending, 0, '-1')).toReversed();
  }
}
