import type { PublishedSchedule, ScheduleEvent } from '../cron/published-schedule.js';
import type { EpochMs, Ms } from '../time/duration.js';
import type { EnqueueRequest } from './enqueue.contract.js';

/** Lets each tick of a schedule happen once for the whole fleet, and shows schedules to others (P-108, P-109). */
export interface ScheduleContract {
  /**
   * Stores the task of a tick, in one atomic step with the note that the tick is used up: of any number of callers one
   * stores its task, the others are told so. A tick counts as used up when it is ten minutes older than the latest tick
   * of its schedule, so that one who slept through it cannot repeat it; unless that latest tick lies more than ten minutes
   * ahead of `now`, for then it was noted by a clock that is wrong. Registers the queue.
   * Sent again after a lost answer with the same generated task id, it has the outcome that was lost; with an id that
   * the user chose, which others send as well, it is `taken`.
   * Rejects with a BrokerError when the server cannot be reached or refuses.
   */
  enqueueTick(request: TickRequest): Promise<TickOutcome>;

  /** The latest tick that was used up, per schedule; `undefined` when none ever was. Catching up begins there. */
  latestTicks(schedules: readonly ScheduleName[]): Promise<readonly (EpochMs | undefined)[]>;

  /**
   * Publishes all schedules of one scheduler, replacing what it published before; they vanish after `ttl` unless published
   * again.
   */
  publishSchedules(request: {
    /** `host:pid:scheduler-id` */
    readonly schedulerId: string;
    readonly schedules: readonly PublishedSchedule[];
    readonly ttl: Ms;
    readonly now: EpochMs;
  }): Promise<void>;

  /** Removes what {@link publishSchedules} wrote. */
  clearSchedules(schedulerId: string): Promise<void>;

  /** Adds to the history of a schedule, of which the newest 1,000 events are kept; it vanishes `ttl` after the last one. */
  recordEvent(request: { readonly scheduleId: string; readonly event: ScheduleEvent; readonly ttl: Ms }): Promise<void>;
}

/** A schedule, as every process that runs it calls it. Its ticks are noted beside the queue that its tasks go to. */
export interface ScheduleName {
  readonly queue: string;
  readonly schedule: string;
}

/** One tick of a schedule, and the task that it is to enqueue. */
export interface TickRequest {
  readonly schedule: string;
  /** The instant the schedule names, not the one at which it is noticed; whole seconds. */
  readonly tick: EpochMs;
  readonly request: EnqueueRequest;
  /** `skip`: the tick is used up without a task while the task of an earlier tick is still to run or running. */
  readonly overlap: 'allow' | 'skip';
  readonly now: EpochMs;
}

/**
 * `enqueued`: the task is stored; `taken`: the tick was used up before; `overlaps`: it is used up now, and the task of
 * an earlier one has not ended; `duplicate`, `id-conflict`: it is used up now, but the task was refused.
 */
export type TickOutcome = 'enqueued' | 'taken' | 'overlaps' | 'duplicate' | 'id-conflict';
