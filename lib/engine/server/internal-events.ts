import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { EpochMs } from '../../model/time/duration.js';
import type { Run } from './run.js';
import type { Lease } from './run-state.js';

/** Notifications from a service to those created after it. */
export interface InternalEventMap {
  /** The loop may have something to do: a queue may have tasks, a call was answered. */
  readonly work: undefined;
  /** Tasks were fetched. */
  readonly arrived: FetchedTasks;
  /** The broker has replied to outcomes; these runs are closed. */
  readonly closed: readonly Run[];
  /** A task is delayed until an instant. */
  readonly delayed: { readonly queue: string; readonly until: EpochMs };
  /** This server maintains queues that it did not maintain before. */
  readonly maintains: undefined;
  /** A dequeue got no reply: it may have taken tasks until `leaseUntil` that never arrived. */
  readonly lostAnswer: { readonly queue: string; readonly leaseUntil: EpochMs };
}

/** The tasks of one fetch. */
export interface FetchedTasks {
  readonly queue: string;
  readonly messages: readonly TaskMessage[];
  readonly lease: Lease;
  /** The tasks that were canceled while in transit, with the outcome asked for. */
  readonly canceled: ReadonlyMap<string, CancelOutcome | undefined>;
}

type Listener<E extends keyof InternalEventMap> = (event: InternalEventMap[E]) => void;

/**
 * The only way back along the path of a task. Every service receives those that it calls; to notify the others it uses
 * this signal, so that no service needs one that does not exist yet.
 */
export class InternalEvents {
  readonly #listeners: { [E in keyof InternalEventMap]?: Listener<E> } = {};

  /** Each event has one listener. */
  on<E extends keyof InternalEventMap>(name: E, listener: Listener<E>): void {
    (this.#listeners as Record<E, Listener<E>>)[name] = listener;
  }

  emit<E extends keyof InternalEventMap>(name: E, event: InternalEventMap[E]): void {
    this.#listeners[name]?.(event);
  }
}
