import type { AsynqError } from '../errors/asynq-error.js';
import type { TaskMessage } from '../task/task-message.js';
import type { EpochMs } from '../time/duration.js';

/** Stores new tasks (P-31 to P-45). */
export interface EnqueueContract {
  /**
   * Stores new tasks, each in one atomic step, in the given order within a queue. Registers their queues.
   * Never rejects: what went wrong with an item is its outcome, and the other items are not affected.
   * Before: messages are complete and valid. After `enqueued`: the task is exactly where it was asked to go. A lock
   * whose holder is no longer stored blocks nobody: the new task takes it over.
   */
  enqueue(requests: readonly EnqueueRequest[], now: EpochMs): Promise<readonly EnqueueOutcome[]>;
}

/** One task to store. */
export interface EnqueueRequest {
  readonly message: TaskMessage;
  readonly place: EnqueuePlace;
  /** Lifetime of the unique lock in seconds; 0 takes no lock. The lock's key is the message's `uniqueKey`. */
  readonly uniqueForSeconds: number;
  /**
   * The id was generated at random by this process. If it is already stored, an earlier attempt of this very request
   * succeeded and only its reply was lost, so the outcome is `enqueued`, not a conflict.
   */
  readonly idIsGenerated: boolean;
}

/** Where a new task goes. */
export type EnqueuePlace =
  | { readonly kind: 'pending' }
  /** Not before `processAt`: our workers keep the fraction of a second; for others it is rounded up. */
  | { readonly kind: 'scheduled'; readonly processAt: EpochMs }
  /** Into the message's group, to be aggregated. */
  | { readonly kind: 'aggregating' };

/** The outcome of one request; an error says why it failed or why its outcome is unknown. */
export type EnqueueOutcome = 'enqueued' | 'duplicate' | 'id-conflict' | AsynqError;
