import { maxScheduleEvents, ticksFor } from '../model/broker/lifetimes.js';
import type { ScheduleContract, ScheduleName, TickOutcome, TickRequest } from '../model/broker/schedule.contract.js';
import type { ScheduleEvent } from '../model/cron/published-schedule.js';
import { tickMemory } from '../model/cron/published-schedule.js';
import { encodeTaskMessage } from '../model/task/task-message.codec.js';
import type { TaskState } from '../model/task/task-state.js';
import { addMs, type EpochMs, fromSeconds, toEpochSeconds, toLifetimeSeconds } from '../model/time/duration.js';
import { expiryInstant, type MemoryContext } from './memory-context.js';
import { storeTasks } from './memory-enqueue.js';
import { copyOf } from './stored-record.js';
import { type MemoryQueue, type RememberedTicks } from './memory-state.js';

const ended: ReadonlySet<TaskState | undefined> = new Set(['completed', 'archived', undefined]);

/** The schedule contract in memory. */
export class MemorySchedule implements ScheduleContract {
  constructor(private readonly deps: MemoryContext) {}

  async enqueueTick(request: TickRequest): Promise<TickOutcome> {
    this.deps.lifetime.refuseClosed();
    const { message, idIsGenerated } = request.request;
    const queue = this.deps.store.queue(message.queue);
    const at = expiryInstant(this.deps, request.now);
    const notes = queue.ticks.get(request.schedule, at)?.value ?? newNotes();
    const noted = notes.ticks.get(request.tick);
    // A request that is sent again after a lost reply has the outcome that was lost.
    if (noted !== undefined) return idIsGenerated && noted.taskId === message.id ? noted.became : 'taken';
    const { latest } = notes;
    // Written by a process whose clock is far ahead, which must not silence the others.
    const isAstray = latest !== undefined && latest > request.now + tickMemory;
    if (latest !== undefined && !isAstray && request.tick < latest - tickMemory) return 'taken';
    const became = this.#use(queue, notes, request);
    notes.ticks.set(request.tick, { became, taskId: message.id });
    if (became === 'enqueued') notes.lastTaskId = message.id;
    if (latest === undefined || isAstray || request.tick > latest) {
      notes.latest = request.tick;
      // What was noted shortly before the latest tick so far stays: this tick may itself be far ahead.
      const trimBefore = Math.min(request.tick, latest ?? request.tick) - tickMemory;
      for (const tick of notes.ticks.keys()) if (tick < trimBefore) notes.ticks.delete(tick);
    }
    queue.ticks.set(request.schedule, { value: notes, expiresAt: addMs(at, ticksFor) });
    return became;
  }

  async latestTicks(schedules: readonly ScheduleName[]): Promise<readonly (EpochMs | undefined)[]> {
    const { lifetime, store, clock } = this.deps;
    lifetime.refuseClosed();
    const now = clock.now();
    return schedules.map(({ queue, schedule }) => store.queue(queue).ticks.get(schedule, now)?.value.latest);
  }

  async publishSchedules(request: Parameters<ScheduleContract['publishSchedules']>[0]): Promise<void> {
    const { lifetime, store } = this.deps;
    lifetime.refuseClosed();
    const at = expiryInstant(this.deps, request.now);
    store.schedulers.sweep(at);
    store.schedulers.delete(request.schedulerId);
    if (request.schedules.length === 0) return;
    const value = request.schedules.map((schedule) => ({
      ...schedule,
      taskPayload: copyOf(schedule.taskPayload),
      options: [...schedule.options],
    }));
    store.schedulers.set(request.schedulerId, {
      value,
      expiresAt: addMs(at, fromSeconds(toLifetimeSeconds(request.ttl))),
    });
  }

  async clearSchedules(schedulerId: string): Promise<void> {
    this.deps.lifetime.refuseClosed();
    this.deps.store.schedulers.delete(schedulerId);
  }

  async recordEvent({ scheduleId, event, ttl }: Parameters<ScheduleContract['recordEvent']>[0]): Promise<void> {
    const { lifetime, store, clock } = this.deps;
    lifetime.refuseClosed();
    const now = clock.now();
    const known = store.histories.get(scheduleId, now)?.value ?? [];
    const value = withEvent(known, { ...event }).slice(-maxScheduleEvents);
    store.histories.sweep(now);
    store.histories.set(scheduleId, { value, expiresAt: addMs(now, fromSeconds(toLifetimeSeconds(ttl))) });
  }

  /** Stores the task of an unused tick. */
  #use(
    queue: MemoryQueue,
    notes: RememberedTicks,
    { request, overlap, now }: TickRequest,
  ): Exclude<TickOutcome, 'taken'> {
    const earlier = notes.lastTaskId === undefined ? undefined : queue.tasks.get(notes.lastTaskId);
    if (overlap === 'skip' && !ended.has(earlier?.state)) return 'overlaps';
    const record = encodeTaskMessage(request.message);
    const [outcome] = storeTasks(this.deps, { queue: queue.name, tasks: [{ request, record }], now });
    if (outcome === 'stored') return 'enqueued';
    return outcome === 'id-conflict' ? outcome : 'duplicate';
  }
}

function newNotes(): RememberedTicks {
  return { ticks: new Map(), latest: undefined, lastTaskId: undefined };
}

/** Adds an event in the order of seconds, without duplicates. */
function withEvent(known: readonly ScheduleEvent[], event: ScheduleEvent): readonly ScheduleEvent[] {
  const second = toEpochSeconds(event.enqueuedAt);
  if (known.some(({ taskId, enqueuedAt }) => taskId === event.taskId && enqueuedAt === event.enqueuedAt)) return known;
  const at = known.findLastIndex(({ enqueuedAt }) => toEpochSeconds(enqueuedAt) <= second) + 1;
  return known.toSpliced(at, 0, event);
}
