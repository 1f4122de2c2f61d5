import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { EpochMs } from '../../model/time/duration.js';
import type { Run } from './run.js';
import type { Lease } from './run-state.js';

/** What a service tells those that were made after it. */
export interface InternalEventMap {
  /** The loop may have something to do: a queue may have tasks, a call was answered. */
  readonly work: undefined;
  /** Tasks were fetched. */
  readonly arrived: FetchedTasks;
  /** Outcomes were answered; these runs are closed. */
  readonly closed: readonly Run[];
  /** A task waits until its time has come. */
  readonly delayed: { readonly queue: string; readonly until: EpochMs };
  /** This server maintains queues that it did not maintain before. */
  readonly maintains: undefined;
  /** A dequeue was not answered: it may have taken tasks that never arrived. */
  readonly lostAnswer: { readonly queue: string };
}

/** What one fetch brought. */
export interface FetchedTasks {
  readonly queue: string;
  readonly messages: readonly TaskMessage[];
  readonly lease: Lease;
  /** Those that were canceled while they were on their way, and what is to follow. */
  readonly canceled: ReadonlyMap<string, CancelOutcome | undefined>;
}

type Listener<E extends keyof InternalEventMap> = (event: InternalEventMap[E]) => void;

/**
 * The one way back along the path of a task. Every service is handed those that it calls; what it has to tell the
 * others goes through here, so that no service needs one that does not exist yet.
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
