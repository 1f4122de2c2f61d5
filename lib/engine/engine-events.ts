import type { DisorderKind } from '../model/broker/maintenance.contract.js';
import type { DroppedFrom, StoredType } from '../model/broker/storage-notice.js';
import { checkFunction, checkOneOf } from '../model/options/check.js';
import type { Headers } from '../model/task/task-message.js';
import type { EpochMs, Ms } from '../model/time/duration.js';
import { callUser } from '../model/options/user-callback.js';

/** The task an event is about. */
export interface TaskSubject {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  /** The payload, decoded when it is read. @throws InvalidPayloadError when the bytes do not decode. */
  readonly payload: unknown;
  /** The payload as it was enqueued, byte for byte; empty when there is none. */
  readonly rawPayload: Buffer;
  /** The caller's metadata, frozen; empty when there is none. */
  readonly headers: Headers;
  /** Counted failures, including the one that led to this event. */
  readonly retried: number;
  readonly maxRetry: number;
}

/** What the engine announces about tasks, by name. */
export interface TaskEvents {
  /** A handler is about to run. */
  started: { readonly task: TaskSubject };
  /** A handler succeeded and the outcome is stored; `result` is what it returned. */
  completed: { readonly task: TaskSubject; readonly elapsed: Ms; readonly result: unknown };
  /** The task failed and will run again. */
  retry: { readonly task: TaskSubject; readonly error: unknown; readonly retryAt: EpochMs };
  /** The task failed for good and is kept for inspection. */
  archived: { readonly task: TaskSubject; readonly error: unknown };
  /** A handler threw RevokeTaskError. */
  revoked: { readonly task: TaskSubject; readonly error: unknown };
  /** A handler threw SnoozeError. */
  snoozed: { readonly task: TaskSubject; readonly until: EpochMs };
  /**
   * The server shut down before the handler ended, or a lost reply kept the task from ever reaching it; the task is back
   * at the head of its queue.
   */
  requeued: { readonly task: TaskSubject };
  /** This worker has no handler for the type; the task went back to the head of its queue, for another worker. */
  returned: { readonly task: TaskSubject };
  /** A running task was told to stop by `cancel`. */
  canceled: { readonly task: TaskSubject };
  /** A worker died or lost its lease; the task was retried, archived or deleted on its behalf. */
  recovered: { readonly task: TaskSubject; readonly outcome: 'retry' | 'archived' | 'deleted' };
  /** This worker lost the lease of a task that it runs. */
  leaseLost: { readonly task: TaskSubject };
  /**
   * An outcome came too late: the task was no longer this worker's, or had been settled without it (stuck handler,
   * shutdown). Nothing was written.
   */
  lateOutcome: { readonly task: TaskSubject; readonly outcome: string };
  /** A handler ignores its abort signal. */
  stuck: { readonly task: TaskSubject; readonly runningFor: Ms };
  /** A stored record does not decode; it was archived. */
  undecodable: { readonly task: { readonly id: string; readonly queue: string }; readonly reason: string };
}

/** What the engine announces about itself, by name. */
export interface ServerEvents {
  /** Stored data was inconsistent and has been healed. */
  healed: { readonly queue: string; readonly kind: DisorderKind; readonly subject: string };
  /** A key holds a wrong type, so operations that need it fail; announced once per key. */
  wrongType: {
    /** `undefined` for a key that belongs to no queue. */
    readonly queue: string | undefined;
    readonly key: string;
    readonly expected: StoredType;
    readonly found: string;
  };
  /** Ids whose stored tasks are gone (deleted by hand, evicted) were removed from where they were. */
  dropped: { readonly queue: string; readonly from: DroppedFrom; readonly count: number };
  /** The tasks of a group became one task, which is stored. */
  aggregated: {
    readonly queue: string;
    readonly group: string;
    /** How many tasks there were. */
    readonly size: number;
    /** The combined task. */
    readonly task: { readonly id: string; readonly type: string };
  };
  /** The tasks of a group were not aggregated; they wait in their group again, two minutes later at the latest. */
  aggregationFailed: { readonly queue: string; readonly group: string; readonly error: unknown };
  /** A heartbeat came a second or more late because the event loop was blocked: no lease was extended meanwhile. */
  loopBlocked: { readonly blockedFor: Ms; readonly running: readonly TaskSubject[] };
  /**
   * The clock of this machine differs from that of Redis by more than 10 s; `offset` is positive when it is ahead.
   * `tasks` is `'left'` when it differs by more than a lease (30 s): a server takes and recovers none until it is
   * right.
   */
  clockOff: { readonly offset: Ms; readonly tasks: 'taken' | 'left' };
  /** The clocks agree again, up to `offset`. */
  clockRight: { readonly offset: Ms };
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

/** What schedulers announce, by name. A tick is an instant that the schedule specifies. */
export interface ScheduleEvents {
  /** This process enqueued the task of a tick. */
  scheduleEnqueued: { readonly schedule: ScheduleSubject; readonly tick: EpochMs; readonly taskId: string };
  /** A tick enqueued nothing here: another process was first, or the task of an earlier tick has not ended. */
  scheduleSkipped: {
    readonly schedule: ScheduleSubject;
    readonly tick: EpochMs;
    readonly reason: 'taken' | 'overlaps';
  };
  /** The task of a tick could not be enqueued; `outcome` says whether it is tried again or given up. */
  scheduleFailed: {
    readonly schedule: ScheduleSubject;
    readonly tick: EpochMs;
    readonly error: unknown;
    readonly outcome: 'retry' | 'drop';
  };
  /**
   * Ticks after one instant and before another passed while no scheduler was running, and are not caught up. With
   * `catchUp: 'skip'` only after this process slept: a start does not look back then.
   */
  scheduleMissed: { readonly schedule: ScheduleSubject; readonly after: EpochMs; readonly until: EpochMs };
  /** The periodic tasks could not be updated; those known before stay. */
  periodicTasksFailed: { readonly error: unknown };
}

/** Every event of the engine. */
export type EngineEvents = TaskEvents & ServerEvents & ScheduleEvents;

/** Name of an event about a task. */
export type TaskEventName = keyof TaskEvents;

/** Name of any event. */
export type EngineEventName = keyof EngineEvents;

/** Called with an event. A promise it returns is not awaited; a rejection is logged. */
export type EventListener<N extends EngineEventName> = (event: EngineEvents[N]) => unknown;

const namesOfTaskEvents: Readonly<Record<TaskEventName, true>> = {
  started: true,
  completed: true,
  retry: true,
  archived: true,
  revoked: true,
  snoozed: true,
  requeued: true,
  returned: true,
  canceled: true,
  recovered: true,
  leaseLost: true,
  lateOutcome: true,
  stuck: true,
  undecodable: true,
};
const namesOfEvents: Readonly<Record<EngineEventName, true>> = {
  ...namesOfTaskEvents,
  healed: true,
  wrongType: true,
  dropped: true,
  aggregated: true,
  aggregationFailed: true,
  loopBlocked: true,
  clockOff: true,
  clockRight: true,
  brokerDown: true,
  brokerUp: true,
  scheduleEnqueued: true,
  scheduleSkipped: true,
  scheduleFailed: true,
  scheduleMissed: true,
  periodicTasksFailed: true,
};

/** Names of the events about tasks. */
export const taskEventNames: readonly string[] = Object.keys(namesOfTaskEvents);
/** Names of all events. */
const eventNames: readonly string[] = Object.keys(namesOfEvents);

interface ListenerRegistration {
  readonly listener: (event: never) => unknown;
  readonly times: 'every' | 'once';
}

/**
 * Calls listeners synchronously, in the order in which they were added. What a listener throws or rejects with is
 * passed to `onListenerError` and does not affect the others.
 *
 * @example
 * const stop = server.events.on('archived', ({ task, error }) => alert(`${task.type} ${task.id} failed for good`,
 * error)); stop();
 */
export class EngineEventEmitter {
  readonly #registrations = new Map<EngineEventName, readonly ListenerRegistration[]>();

  constructor(private readonly onListenerError: (event: EngineEventName, error: unknown) => void) {}

  /**
   * Calls `listener` at every event of that name. Returns a function that removes it.
   *
   * @throws InvalidOptionError when there is no such event, or the listener is not a function.
   */
  on<N extends EngineEventName>(name: N, listener: EventListener<N>): () => void {
    return this.#add('on', name, { listener, times: 'every' });
  }

  /**
   * Calls `listener` only at the next event of that name. Returns a function that removes it before that.
   *
   * @throws InvalidOptionError when there is no such event, or the listener is not a function.
   */
  once<N extends EngineEventName>(name: N, listener: EventListener<N>): () => void {
    return this.#add('once', name, { listener, times: 'once' });
  }

  /** Whether anybody listens; lets a hot path skip building the event. */
  has(name: EngineEventName): boolean {
    return this.#registrations.has(name);
  }

  /** Announces an event. */
  emit<N extends EngineEventName>(name: N, event: EngineEvents[N]): void {
    const registrations = this.#registrations.get(name);
    if (registrations === undefined) return;
    for (const registration of registrations) {
      if (registration.times === 'once') this.#remove(name, registration);
      const listener = registration.listener as EventListener<N>;
      callUser(
        () => listener(event),
        (error) => this.onListenerError(name, error),
      );
    }
  }

  #add(method: string, name: EngineEventName, registration: ListenerRegistration): () => void {
    checkOneOf({ path: `events.${method}: event`, value: name }, eventNames);
    checkFunction({ path: `events.${method}: listener`, value: registration.listener });
    this.#registrations.set(name, [...(this.#registrations.get(name) ?? []), registration]);
    return () => this.#remove(name, registration);
  }

  #remove(name: EngineEventName, registration: ListenerRegistration): void {
    const left = this.#registrations.get(name)?.filter((other) => other !== registration) ?? [];
    if (left.length === 0) this.#registrations.delete(name);
    else this.#registrations.set(name, left);
  }
}
