import type { AsynqError } from '../errors/asynq-error.js';
import type { TaskMessage } from '../task/task-message.js';
import type { EpochMs } from '../time/duration.js';

/** Puts tasks in (P-31 to P-45). */
export interface EnqueueContract {
  /**
   * Stores new tasks, each in one atomic step, in the given order within a queue. Registers their queues.
   * Never rejects: what went wrong with an item is its outcome, and its neighbours are not touched by it.
   * Before: messages are complete and valid. After `enqueued`: the task is in exactly the place asked for. A lock whose
   * holder is not stored any more refuses nobody: the new task takes it over.
   */
  enqueue(requests: readonly EnqueueRequest[], now: EpochMs): Promise<readonly EnqueueOutcome[]>;
}

/** One task to store. */
export interface EnqueueRequest {
  readonly message: TaskMessage;
  readonly place: EnqueuePlace;
  /** Seconds the unique lock lives; 0 takes no lock. The lock's key is the message's `uniqueKey`. */
  readonly uniqueForSeconds: number;
  /**
   * The id was drawn at random by this process, so finding it stored already means that an earlier attempt
   * of this very request went through and only its answer was lost: that is `enqueued`, not a conflict.
   */
  readonly idIsGenerated: boolean;
}

/** Where a new task goes. */
export type EnqueuePlace =
  | { readonly kind: 'pending' }
  /** Not before `processAt`: the fraction of a second is kept by our workers and rounded up for others. */
  | { readonly kind: 'scheduled'; readonly processAt: EpochMs }
  /** Into the message's group, to be aggregated. */
  | { readonly kind: 'aggregating' };

/** What became of one request; an error says why its fate is failure or unknown. */
export type EnqueueOutcome = 'enqueued' | 'duplicate' | 'id-conflict' | AsynqError;
