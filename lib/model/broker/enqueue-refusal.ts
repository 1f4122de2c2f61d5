import type { AsynqError } from '../errors/asynq-error.js';
import { DuplicateTaskError, TaskIdConflictError } from '../errors/task-errors.js';
import type { TaskMessage } from '../task/task-message.js';
import type { EnqueueOutcome, EnqueueRequest } from './enqueue.contract.js';

/**
 * What storage did with a new task: `held` means that the unique lock is its own already, `id-conflict` that its id is
 * taken.
 */
export type StoreOutcome = 'stored' | 'held' | 'duplicate' | 'id-conflict';

/** What that means to whoever asked for it. */
export function enqueueOutcome(outcome: StoreOutcome, { idIsGenerated }: EnqueueRequest): EnqueueOutcome {
  if (outcome === 'stored') return 'enqueued';
  // Nobody else draws this id, so it can only be there because an earlier attempt went through.
  if (idIsGenerated && outcome !== 'duplicate') return 'enqueued';
  return outcome === 'id-conflict' ? outcome : 'duplicate';
}

/** The error for a task that was refused. */
export function refusalError(
  refusal: 'duplicate' | 'id-conflict',
  { queue, type, id }: Pick<TaskMessage, 'queue' | 'type' | 'id'>,
): AsynqError {
  return refusal === 'duplicate' ? new DuplicateTaskError(queue, type) : new TaskIdConflictError(queue, id);
}
