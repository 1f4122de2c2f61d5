import type { PublishedSchedule, ScheduleEvent } from '../cron/published-schedule.js';
import type { EpochMs, Ms } from '../time/duration.js';
import type { EnqueueRequest } from './enqueue.contract.js';

/** Enqueues each tick of a schedule once for the whole fleet, and publishes schedules (P-108, P-109). */
export interface ScheduleContract {
  /**
   * Stores the task of a tick, in one atomic step with the record that the tick was used: of any number of callers, one
   * stores its task and the others are told so. A tick also counts as used when it is ten minutes older than the latest
   * tick of its schedule, so that a process that slept through it cannot repeat it; unless that latest tick is more
   * than ten minutes ahead of `now`, because then it was recorded by a wrong clock. Registers the queue.
   * When it is sent again after a lost reply with the same generated task id, it has the outcome that was lost; with an
   * id that the user chose, which others also send, it is `taken`.
   * Rejects with a BrokerError when the server cannot be reached or refuses.
   */
  enqueueTick(request: TickRequest): Promise<TickOutcome>;

  /** Returns the latest used tick per schedule; `undefined` if there is none. Catching up begins after it. */
  latestTicks(schedules: readonly ScheduleName[]): Promise<readonly (EpochMs | undefined)[]>;

  /**
   * Publishes all schedules of one scheduler, replacing what it published before; they expire after `ttl` unless
   * published again.
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

  /** Adds to the history of a schedule, which keeps the newest 1,000 events and expires `ttl` after the last one. */
  recordEvent(request: { readonly scheduleId: string; readonly event: ScheduleEvent; readonly ttl: Ms }): Promise<void>;
}

/** Identifies a schedule in every process that runs it. Its ticks are recorded with the queue of its tasks. */
export interface ScheduleName {
  readonly queue: string;
  readonly schedule: string;
}

/** One tick of a schedule, and the task to enqueue. */
export interface TickRequest {
  readonly schedule: string;
  /** The instant that the schedule specifies, not the one at which it is noticed; in whole seconds. */
  readonly tick: EpochMs;
  readonly request: EnqueueRequest;
  /** `skip`: the tick is used without a task while the task of an earlier tick waits or runs. */
  readonly overlap: 'allow' | 'skip';
  readonly now: EpochMs;
}

/**
 * `enqueued`: the task is stored; `taken`: the tick was used before; `overlaps`: it is used now, but the task of an
 * earlier one has not ended; `duplicate`, `id-conflict`: it is used now, but the task was refused.
 */
export type TickOutcome = 'enqueued' | 'taken' | 'overlaps' | 'duplicate' | 'id-conflict';
