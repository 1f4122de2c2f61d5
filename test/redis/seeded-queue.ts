import type { Redis } from 'ioredis';
import { systemClock } from '../../lib/engine/system-clock.js';
import type { Broker } from '../../lib/model/broker/broker.js';
import type { MaintenanceContract } from '../../lib/model/broker/maintenance.contract.js';
import { encodeTaskMessage, decodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import type { TaskState } from '../../lib/model/task/task-state.js';
import { type EpochMs, epochMs } from '../../lib/model/time/duration.js';
import { createRedisConnection } from '../../lib/redis/connection/create-connection.js';
import { groupKey, type QueueKeys, queueKeys, taskKey } from '../../lib/redis/keys.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import type { RunningCluster } from '../support/redis-cluster.js';
import { deleteQueues, rawClient, sharedRedisUrl } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';

/** The instant at which these tests take place: a whole second of today, since the server's own time ends counters. */
export const noon: EpochMs = epochMs(new Date().setUTCHours(12, 0, 0, 0));
export const noonSeconds = noon / 1_000;

/** What a test says of a task; the rest is as a plain enqueue leaves it. */
export interface Seed {
  readonly id: string;
  readonly state?: TaskState;
  /** Score in the set of its state, seconds; for an active task the end of its lease. */
  readonly score?: number;
  /** Our own exact due time. */
  readonly exactDueAt?: number;
  readonly group?: string;
  readonly message?: Partial<TaskMessage> | Buffer;
  readonly fields?: Readonly<Record<string, string>>;
  /** In these lists and sets only, whatever the state says. */
  readonly places?: readonly string[];
}

/** A queue of a test's own that is filled as any client may have filled it, and read as any client can read it. */
export class SeededQueue {
  readonly keys: QueueKeys;

  private constructor(
    readonly queue: string,
    readonly redis: Redis,
    readonly broker: Broker,
  ) {
    this.keys = queueKeys(queue);
  }

  get maintenance(): MaintenanceContract {
    return this.broker.maintenance;
  }

  /** A queue on the shared server, or the one at `url`. */
  static open(options: { readonly queue?: string; readonly url?: string } = {}): SeededQueue {
    const url = options.url ?? sharedRedisUrl();
    const broker = new RedisBroker(createRedisConnection(url, { clock: systemClock }));
    return new SeededQueue(options.queue ?? uniqueQueue('maintenance'), rawClient(url), broker);
  }

  /** A queue in a cluster, behind a broker that the caller closes; the cluster's node is the plain client. */
  static async inCluster(cluster: RunningCluster, broker: Broker, queue: string): Promise<SeededQueue> {
    return new SeededQueue(queue, cluster.client(await cluster.ownerOf(queueKeys(queue).pending)), broker);
  }

  async close(): Promise<void> {
    await deleteQueues(this.redis, [this.queue]);
    await this.broker.close();
    this.redis.disconnect();
  }

  /** Stores tasks in one round trip, in the given order. */
  async given(...seeds: readonly Seed[]): Promise<void> {
    const pipeline = this.redis.pipeline();
    for (const seed of seeds) {
      const state = seed.state ?? 'pending';
      const message = Buffer.isBuffer(seed.message) ? seed.message : encodeTaskMessage(this.messageOf(seed));
      const score = seed.score ?? noonSeconds;
      pipeline.hset(taskKey(this.keys, seed.id), { msg: message, state, ...this.#extras(seed, state), ...seed.fields });
      for (const place of seed.places ?? this.#placesOf(state, seed.group ?? '')) {
        if (place === this.keys.pending || place === this.keys.active) pipeline.lpush(place, seed.id);
        else pipeline.zadd(place, score, seed.id);
      }
      if (seed.exactDueAt !== undefined) pipeline.zadd(this.keys.due, seed.exactDueAt, seed.id);
    }
    await pipeline.exec();
  }

  messageOf(seed: Seed): TaskMessage {
    return {
      type: 'email:send',
      payload: Buffer.from('{}'),
      id: seed.id,
      queue: this.queue,
      maxRetry: 25,
      retried: 0,
      errorMessage: '',
      timeoutSeconds: 1_800,
      deadlineSeconds: 0,
      uniqueKey: '',
      lastFailedAtSeconds: 0,
      retentionSeconds: 0,
      completedAtSeconds: 0,
      group: seed.group ?? '',
      headers: undefined,
      unknownFields: undefined,
      ...(Buffer.isBuffer(seed.message) ? {} : seed.message),
    };
  }

  /** Every list and set that holds an id, by its key without the queue's prefix. */
  async placesOf(id: string): Promise<string[]> {
    const found: string[] = [];
    for (const list of ['pending', 'active'] as const) {
      const count = (await this.redis.lrange(this.keys[list], 0, -1)).filter((member) => member === id).length;
      for (let i = 0; i < count; i++) found.push(list);
    }
    for (const set of ['lease', 'scheduled', 'retry', 'archived', 'completed'] as const) {
      if ((await this.redis.zscore(this.keys[set], id)) !== null) found.push(set);
    }
    for (const key of await this.redis.keys(`${this.keys.groupPrefix}*`)) {
      if ((await this.redis.zscore(key, id)) !== null) found.push(key.slice(this.keys.groupPrefix.length - 2));
    }
    return found;
  }

  async hash(id: string): Promise<Record<string, string>> {
    return await this.redis.hgetall(taskKey(this.keys, id));
  }

  async message(id: string): Promise<TaskMessage> {
    const bytes = await this.redis.hgetBuffer(taskKey(this.keys, id), 'msg');
    const decoded = decodeTaskMessage(bytes ?? Buffer.from('not there'));
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.message;
  }

  #placesOf(state: TaskState, group: string): readonly string[] {
    if (state === 'active') return [this.keys.active, this.keys.lease];
    return [state === 'aggregating' ? groupKey(this.keys, group) : this.keys[state]];
  }

  #extras(seed: Seed, state: TaskState): Readonly<Record<string, string>> {
    return {
      ...(state === 'pending' ? { pending_since: `${noon}000000` } : {}),
      ...(seed.group === undefined ? {} : { group: seed.group }),
    };
  }
}
