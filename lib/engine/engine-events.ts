import type { DisorderKind } from '../model/broker/maintenance.contract.js';
import type { EpochMs, Ms } from '../model/time/duration.js';

/** The task an event is about. */
export interface TaskSubject {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  /** Counted failures, the one that led to this event included. */
  readonly retried: number;
  readonly maxRetry: number;
}

/** What the engine announces about tasks, by name. */
export interface TaskEvents {
  /** A handler is about to run. */
  started: { readonly task: TaskSubject };
  /** A handler succeeded and the outcome is stored. */
  completed: { readonly task: TaskSubject; readonly elapsed: Ms };
  /** The task failed and will run again. */
  retry: { readonly task: TaskSubject; readonly error: unknown; readonly retryAt: EpochMs };
  /** The task failed for good and is kept for a person to look at. */
  archived: { readonly task: TaskSubject; readonly error: unknown };
  /** A handler threw RevokeTaskError. */
  revoked: { readonly task: TaskSubject; readonly error: unknown };
  /** A handler threw SnoozeError. */
  snoozed: { readonly task: TaskSubject; readonly until: EpochMs };
  /** The server shut down first; the task is back at the head of its queue. */
  requeued: { readonly task: TaskSubject };
  /** No handler here knows the type; the task went back for another worker. */
  returned: { readonly task: TaskSubject };
  /** A running task was told to stop by `cancel`. */
  canceled: { readonly task: TaskSubject };
  /** A worker died or lost its lease; the task was retried or archived on its behalf. */
  recovered: { readonly task: TaskSubject; readonly then: 'retry' | 'archived' | 'deleted' };
  /** This worker lost its right to a task that it runs. */
  leaseLost: { readonly task: TaskSubject };
  /** An outcome came too late: the task was no longer this worker's. Nothing was written. */
  lateOutcome: { readonly task: TaskSubject; readonly outcome: string };
  /** A handler ignores its abort signal. */
  stuck: { readonly task: TaskSubject; readonly runningFor: Ms };
  /** A stored record does not decode; it was archived. */
  undecodable: { readonly task: { readonly id: string; readonly queue: string }; readonly reason: string };
}

/** What the engine announces about itself, by name. */
export interface ServerEvents {
  /** Something stored was in disorder and has been put right. */
  healed: { readonly queue: string; readonly kind: DisorderKind; readonly subject: string };
  /** The tasks of a group became one task, which is stored. */
  aggregated: {
    readonly queue: string;
    readonly group: string;
    /** How many tasks there were. */
    readonly size: number;
    /** The task that stands for them. */
    readonly task: { readonly id: string; readonly type: string };
  };
  /** The tasks of a group were not aggregated; they wait in their group again, two minutes later at the latest. */
  aggregationFailed: { readonly queue: string; readonly group: string; readonly error: unknown };
  /** The event loop stood still, so leases were in danger. */
  loopBlocked: { readonly blockedFor: Ms; readonly running: readonly TaskSubject[] };
  /** Redis cannot be reached. */
  brokerDown: { readonly error: Error };
  /** Redis is back. */
  brokerUp: { readonly downFor: Ms };
}

/** The schedule an event is about. */
export interface ScheduleSubject {
  readonly id: string;
  readonly spec: string;
  /** Type of its tasks. */
  readonly type: string;
  /** Queue of its tasks. */
  readonly queue: string;
}

/** What schedulers announce, by name. A tick is the instant that the schedule names. */
export interface ScheduleEvents {
  /** This process enqueued the task of a tick. */
  scheduleEnqueued: { readonly schedule: ScheduleSubject; readonly tick: EpochMs; readonly taskId: string };
  /** A tick enqueued nothing here: another process was first, or the task of an earlier tick has not ended. */
  scheduleSkipped: {
    readonly schedule: ScheduleSubject;
    readonly tick: EpochMs;
    readonly reason: 'taken' | 'overlaps';
  };
  /** The task of a tick could not be enqueued: it is tried again until it is, or given up for good. */
  scheduleFailed: {
    readonly schedule: ScheduleSubject;
    readonly tick: EpochMs;
    readonly error: unknown;
    readonly then: 'retry' | 'drop';
  };
  /** Ticks after one instant and before another passed while nobody was there, and are not made up for. */
  scheduleMissed: { readonly schedule: ScheduleSubject; readonly after: EpochMs; readonly until: EpochMs };
  /** The periodic tasks could not be brought up to date; those known before stay. */
  periodicTasksFailed: { readonly error: unknown };
}

/** Every event of the engine. */
export type EngineEvents = TaskEvents & ServerEvents & ScheduleEvents;

/** Name of an event about a task. */
export type TaskEventName = keyof TaskEvents;

type Listener<E> = (event: E) => void;

/**
 * Tells listeners what happened. Listeners run synchronously and must not throw; one that does is reported to
 * `onListenerError` and disturbs nobody else.
 *
 * @example
 * server.events.on('archived', ({ task, error }) => alert(`${task.type} ${task.id} failed for good`, error));
 */
export class EngineEventEmitter {
  readonly #listeners = new Map<keyof EngineEvents, Set<Listener<never>>>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  /** Calls `listener` at every event of that name; returns a function that stops it. */
  on<N extends keyof EngineEvents>(name: N, listener: Listener<EngineEvents[N]>): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, (listeners = new Set()));
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Whether anybody listens: lets a hot path skip building the event. */
  has(name: keyof EngineEvents): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** Announces an event. */
  emit<N extends keyof EngineEvents>(name: N, event: EngineEvents[N]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        (listener as Listener<EngineEvents[N]>)(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }
}
