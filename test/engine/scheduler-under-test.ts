import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { EngineEvents, ScheduleEvents } from '../../lib/engine/engine-events.js';
import { AsynqScheduler } from '../../lib/engine/scheduler/asynq-scheduler.js';
import type { SchedulerOptions } from '../../lib/engine/scheduler/scheduler-options.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { decodePublishedSchedule, decodeScheduleEvent } from '../../lib/model/cron/published-schedule.codec.js';
import type { PublishedSchedule, ScheduleEvent } from '../../lib/model/cron/published-schedule.js';
import { decodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { epochMs } from '../../lib/model/time/duration.js';
import { createRedisConnection } from '../../lib/redis/connection/create-connection.js';
import { type QueueKeys, queueKeys, scheduleHistoryKey, schedulerKey, taskKey } from '../../lib/redis/keys.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { faultyBroker, type FaultyBroker } from '../support/faulty-broker.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { deleteQueues, rawClient, sharedRedisUrl } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { VirtualClock } from '../support/virtual-clock.js';

const eventNames = [
  'scheduleEnqueued',
  'scheduleSkipped',
  'scheduleFailed',
  'scheduleMissed',
  'periodicTasksFailed',
] as const satisfies readonly (keyof ScheduleEvents)[];

/** Schedulers that enqueue to a queue of the test's own, in a time that moves when told. */
export class SchedulersUnderTest {
  readonly queue = uniqueQueue('scheduler');
  readonly keys: QueueKeys = queueKeys(this.queue);
  readonly logger = new RecordingLogger();
  readonly time: VirtualClock;
  readonly #happenings: { readonly name: string; readonly event: unknown }[] = [];
  readonly #schedulers: AsynqScheduler[] = [];
  readonly #scheduleIds = new Set<string>();

  private constructor(
    readonly redis: Redis,
    /** Shared by the schedulers; its calls can be made to fail. */
    readonly broker: FaultyBroker,
    now: string,
  ) {
    this.time = new VirtualClock({ now, settle: async () => await settled(broker) });
  }

  /** The time is on the full hour unless told otherwise. */
  static async open({ now = '2026-03-01T12:00:00Z' } = {}): Promise<SchedulersUnderTest> {
    const broker = faultyBroker(new RedisBroker(createRedisConnection(sharedRedisUrl(), { clock: systemClock })));
    // A virtual time does not wait for a real connection.
    await broker.open();
    return new SchedulersUnderTest(rawClient(), broker, now);
  }

  async close(): Promise<void> {
    for (const scheduler of this.#schedulers) {
      const closing = scheduler.shutdown();
      await this.time.advance('10s');
      await closing;
      await this.redis.del(keyOf(scheduler));
      await this.redis.zrem('asynq:schedulers', keyOf(scheduler));
    }
    for (const id of this.#scheduleIds) await this.redis.del(scheduleHistoryKey(id));
    await deleteQueues(this.redis, [this.queue]);
    await this.broker.close();
    this.redis.disconnect();
  }

  /** A scheduler whose tasks go to the test's queue. */
  create(options: SchedulerOptions = {}): AsynqScheduler {
    const scheduler = new AsynqScheduler({
      ...(options.redis === undefined ? { broker: this.broker } : {}),
      clock: this.time,
      logger: this.logger,
      defaults: { queue: this.queue },
      ...options,
    });
    this.#schedulers.push(scheduler);
    for (const name of eventNames) {
      scheduler.events.on(name, (event) => {
        this.#happenings.push({ name, event });
        if ('schedule' in event) this.#scheduleIds.add(event.schedule.id);
      });
    }
    return scheduler;
  }

  /** What happened under a name, in order. */
  heard<N extends (typeof eventNames)[number]>(name: N): EngineEvents[N][] {
    return this.#happenings.filter((one) => one.name === name).map(({ event }) => event as EngineEvents[N]);
  }

  /** Messages of the tasks that wait to run, in order. */
  async pending(): Promise<TaskMessage[]> {
    const ids = (await this.redis.lrange(this.keys.pending, 0, -1)).toReversed();
    return await Promise.all(
      ids.map(async (id) => {
        const bytes = await this.redis.hgetBuffer(taskKey(this.keys, id), 'msg');
        const decoded = decodeTaskMessage(bytes ?? Buffer.from('not there'));
        if (!decoded.ok) throw new Error(decoded.reason);
        return decoded.message;
      }),
    );
  }

  /** Types of the tasks that wait to run, in order. */
  async pendingTypes(): Promise<string[]> {
    return (await this.pending()).map(({ type }) => type);
  }

  /** What a scheduler publishes. */
  async published(scheduler: AsynqScheduler): Promise<PublishedSchedule[]> {
    const records = await this.redis.lrangeBuffer(keyOf(scheduler), 0, -1);
    return records.toReversed().map((record) => {
      const decoded = decodePublishedSchedule(record);
      if (!decoded.ok) throw new Error(decoded.reason);
      return decoded.value;
    });
  }

  /** For how many more milliseconds the entries are published; -2 when they are not. */
  async publishedFor(scheduler: AsynqScheduler): Promise<number> {
    return await this.redis.pttl(keyOf(scheduler));
  }

  async history(scheduleId: string): Promise<ScheduleEvent[]> {
    this.#scheduleIds.add(scheduleId);
    const records = await this.redis.zrangeBuffer(scheduleHistoryKey(scheduleId), 0, '-1');
    return records.map((record) => {
      const decoded = decodeScheduleEvent(record);
      return decoded.ok ? decoded.value : { taskId: 'undecodable', enqueuedAt: epochMs(0) };
    });
  }
}

/** Where a scheduler publishes its entries. */
function keyOf({ id }: AsynqScheduler): string {
  return schedulerKey(`${hostname()}:${process.pid}:${id}`);
}

/** Several round trips: a queue is registered, then a task stored, then its history written. */
async function settled(broker: FaultyBroker): Promise<void> {
  if (!broker.isAvailable()) return;
  for (let trip = 0; trip < 4; trip += 1) {
    await broker.ping();
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}
