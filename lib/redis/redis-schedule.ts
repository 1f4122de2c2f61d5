import { maxScheduleEvents, ticksFor } from '../model/broker/lifetimes.js';
import type { ScheduleContract, ScheduleName, TickOutcome, TickRequest } from '../model/broker/schedule.contract.js';
import { encodePublishedSchedule, encodeScheduleEvent } from '../model/cron/published-schedule.codec.js';
import { tickMemory } from '../model/cron/published-schedule.js';
import { InternalError } from '../model/errors/asynq-error.js';
import { encodeTaskMessage } from '../model/task/task-message.codec.js';
import { epochMs, type EpochMs, toEpochSeconds, toSecondsUp, toLifetimeSeconds } from '../model/time/duration.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { globalKeys, queueKeys, scheduleHistoryKey, schedulerKey, ticksKey } from './keys.js';
import { QueueRegistry } from './queue-registry.js';
import { storeArgumentNames, storeArguments, taskArguments, wrongPlaceError } from './redis-enqueue.js';
import { listKey } from './redis-presence.js';
import { numberReply, textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Stores the task of one tick of a schedule, once. */
export const enqueueTickScript = defineScript({
  file: 'enqueue-tick.lua',
  keys: ['ticks', 'pending', 'scheduled', 'retry', 'due', 'groups'],
  args: [...storeArgumentNames, 'tick', 'tickMemory', 'ticksTtl', 'overlap', 'taskIdIs', '...tasks'],
  replies: ['TAKEN', 'ENQUEUED', 'OVERLAPS', 'DUPLICATE', 'HELD', 'CONFLICT', 'WRONG_TYPE'],
});

/** Publishes a scheduler's schedules (P-108). */
export const publishSchedulesScript = defineScript({
  file: 'publish-schedules.lua',
  keys: ['schedules'],
  args: ['ttl', '...records'],
  replies: ['PUBLISHED'],
});

/** Adds to a schedule's history (P-109). */
export const recordEventScript = defineScript({
  file: 'record-event.lua',
  keys: ['history'],
  args: ['enqueuedAt', 'event', 'ttl', 'maxEvents'],
  replies: ['RECORDED'],
});

const outcomes: Readonly<Record<string, TickOutcome>> = {
  TAKEN: 'taken',
  ENQUEUED: 'enqueued',
  OVERLAPS: 'overlaps',
  DUPLICATE: 'duplicate',
  HELD: 'duplicate',
  CONFLICT: 'id-conflict',
};

/** The schedule contract on Redis. */
export class RedisSchedule implements ScheduleContract {
  readonly #registry: QueueRegistry;

  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {
    this.#registry = new QueueRegistry(deps);
  }

  async enqueueTick({ schedule, tick, request, overlap, now }: TickRequest): Promise<TickOutcome> {
    const keys = queueKeys(request.message.queue);
    const message = encodeTaskMessage(request.message);
    // Before the task, which must never be in a queue that nobody can see.
    if (!this.#registry.isRegistered(keys.queue, now)) await this.#registry.register(keys.queue, now);
    const { pending, scheduled, retry, due, groups } = keys;
    const reply = await this.deps.runner.run(
      enqueueTickScript,
      [ticksKey(keys.queue, schedule), pending, scheduled, retry, due, groups],
      [
        ...storeArguments(keys, now),
        tick,
        tickMemory,
        toSecondsUp(ticksFor),
        overlap,
        request.idIsGenerated ? 'generated' : 'chosen',
        ...taskArguments(keys, request, message),
      ],
    );
    const word = textReply(reply);
    if (word === 'WRONG_TYPE') throw wrongPlaceError(request);
    const outcome = outcomes[word];
    if (outcome === undefined) throw new InternalError(`The script replied with an unknown outcome of a tick: ${word}`);
    return outcome;
  }

  async latestTicks(schedules: readonly ScheduleName[]): Promise<readonly (EpochMs | undefined)[]> {
    const { connection } = this.deps;
    // One command per schedule: those of different queues are in different slots of a cluster. A key of a wrong type
    // rejects: replying that a schedule never ran would silently skip the ticks to catch up.
    const replies = await Promise.all(
      schedules.map(
        async ({ queue, schedule }) => await connection.send('hget', [ticksKey(queue, schedule), 'latest']),
      ),
    );
    return replies.map((reply) => (reply === null ? undefined : epochMs(numberReply(reply))));
  }

  async publishSchedules(request: Parameters<ScheduleContract['publishSchedules']>[0]): Promise<void> {
    const { schedulerId, schedules, ttl, now } = request;
    const { runner } = this.deps;
    const ttlSeconds = toLifetimeSeconds(ttl);
    const key = schedulerKey(schedulerId);
    await Promise.all([
      listKey(this.deps, { registry: globalKeys.schedulers, expiresAt: toEpochSeconds(now) + ttlSeconds, key }),
      runner.run(publishSchedulesScript, [key], [ttlSeconds, ...schedules.map(encodePublishedSchedule)]),
    ]);
  }

  async clearSchedules(schedulerId: string): Promise<void> {
    const { connection } = this.deps;
    const key = schedulerKey(schedulerId);
    await Promise.all([connection.send('zrem', [globalKeys.schedulers, key]), connection.send('del', [key])]);
  }

  async recordEvent({ scheduleId, event, ttl }: Parameters<ScheduleContract['recordEvent']>[0]): Promise<void> {
    await this.deps.runner.run(
      recordEventScript,
      [scheduleHistoryKey(scheduleId)],
      [toEpochSeconds(event.enqueuedAt), encodeScheduleEvent(event), toLifetimeSeconds(ttl), maxScheduleEvents],
    );
  }
}
