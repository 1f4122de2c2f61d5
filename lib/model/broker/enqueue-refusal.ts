import type { AsynqError } from '../errors/asynq-error.js';
import { DuplicateTaskError, TaskIdConflictError } from '../errors/task-errors.js';
import type { TaskMessage } from '../task/task-message.js';
import type { EnqueueOutcome, EnqueueRequest } from './enqueue.contract.js';

/**
 * What storage did with a new task: `held` means that the task already holds the unique lock itself, `id-conflict` that
 * its id is taken.
 */
export type StoreOutcome = 'stored' | 'held' | 'duplicate' | 'id-conflict';

/** Converts what storage did into the outcome for the caller. */
export function enqueueOutcome(outcome: StoreOutcome, { idIsGenerated }: EnqueueRequest): EnqueueOutcome {
  if (outcome === 'stored') return 'enqueued';
  // Nobody else generates this id, so it can only exist because an earlier attempt succeeded.
  if (idIsGenerated && outcome !== 'duplicate') return 'enqueued';
  return outcome === 'id-conflict' ? outcome : 'duplicate';
}

/** Returns the error for a refused task. */
export function refusalError(
  refusal: 'duplicate' | 'id-conflict',
  { queue, type, id }: Pick<TaskMessage, 'queue' | 'type' | 'id'>,
): AsynqError {
  return refusal === 'duplicate' ? new DuplicateTaskError(queue, type) : new TaskIdConflictError(queue, id);
}
