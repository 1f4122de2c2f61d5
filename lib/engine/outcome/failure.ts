import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import type { Settlement } from '../../model/broker/work.contract.js';
import { assertNever, InternalError } from '../../model/errors/asynq-error.js';
import { LeaseExpiredError, TaskCanceledError } from '../../model/errors/task-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import { directiveOf } from '../../model/retry/failure-directive.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import { addMs, type EpochMs, type Ms, toEpochSeconds } from '../../model/time/duration.js';
import { type KnownTask, subjectOf } from './event-task.js';
import type { Outcome } from './outcome.js';

/** How failures are judged. Both functions may be the user's and must have been made safe to call. */
export interface FailurePolicy {
  /** How long to wait before the next run; `retried` is the count before this failure. */
  delay(retried: number, error: unknown): Ms;
  /** Whether an error counts; one that does not uses up no retry. */
  isFailure(error: unknown): boolean;
}

/** A failed run, and the policy for judging its failure. */
export interface FailedRun {
  readonly message: TaskMessage;
  /**
   * The outcome that the cancellation asked for, if that is why the run failed. A run whose deadline had passed before
   * it started is archived the same way.
   */
  readonly canceled?: CancelOutcome | undefined;
  readonly policy: FailurePolicy;
  readonly now: EpochMs;
}

/** What can be written for a failed run; a revoked one is `done`. */
export type FailureSettlement = Extract<Settlement, { kind: 'retry' | 'archive' | 'snooze' | 'done' | 'delete' }>;

/**
 * Turns a failure into an outcome, for a server's own runs and for recovered ones alike (S-47): what the cancellation
 * asked for, else what the error asks for, else another run while retries are left, else the archive. No other code
 * decides this.
 */
function settleFailure(error: unknown, { message, canceled, policy, now }: FailedRun): FailureSettlement {
  if (canceled === 'delete') return { kind: 'delete', message };
  if (canceled === 'archive') return archive(message, { error, now });
  const directive = directiveOf(error);
  if (directive?.kind === 'revoke') return { kind: 'done', message };
  if (directive?.kind === 'snooze') return { kind: 'snooze', message, until: addMs(now, directive.delay) };
  if (directive?.kind === 'archive' || message.retried >= message.maxRetry) return archive(message, { error, now });
  const retryAt = addMs(now, policy.delay(message.retried, error));
  const counts = policy.isFailure(error) ? 'as-failure' : 'not';
  return { kind: 'retry', message: withFailure(message, { error, now, counts }), retryAt, counts };
}

/**
 * Returns what is written for a task whose worker lost it: a failure like any other. The user's policy cannot turn it
 * into anything but a retry or the archive.
 */
export function settleRecovered(
  message: TaskMessage,
  failed: Omit<FailedRun, 'message'>,
): Extract<FailureSettlement, { kind: 'retry' | 'archive' | 'delete' }> {
  const error = failed.canceled === undefined ? new LeaseExpiredError() : new TaskCanceledError();
  const settlement = settleFailure(error, { ...failed, message });
  if (settlement.kind === 'snooze' || settlement.kind === 'done') {
    throw new InternalError(`A lost task was settled as ${settlement.kind}`);
  }
  return settlement;
}

/** Returns a failed run's outcome: what to write, and what to announce once that is stored. */
export function judgeFailure(
  error: unknown,
  failed: FailedRun & KnownTask,
): Outcome & { readonly settlement: FailureSettlement } {
  const settlement = settleFailure(error, failed);
  const task = subjectOf({ message: settlement.message, queue: failed.queue, codec: failed.codec });
  switch (settlement.kind) {
    case 'retry':
      return { settlement, announcement: { name: 'retry', event: { task, error, retryAt: settlement.retryAt } } };
    case 'archive':
      return { settlement, announcement: { name: 'archived', event: { task, error } } };
    case 'snooze':
      return { settlement, announcement: { name: 'snoozed', event: { task, until: settlement.until } } };
    case 'done':
      return { settlement, announcement: { name: 'revoked', event: { task, error } } };
    case 'delete':
      // The event of the cancellation has already announced it.
      return { settlement, announcement: undefined };
    default:
      return assertNever(settlement);
  }
}

function archive(
  message: TaskMessage,
  { error, now }: { readonly error: unknown; readonly now: EpochMs },
): FailureSettlement {
  return { kind: 'archive', message: withFailure(message, { error, now, counts: 'not' }) };
}

/** Returns the message of a task after a failure, as it is stored (P-79, P-83). */
function withFailure(
  message: TaskMessage,
  failure: { readonly error: unknown; readonly now: EpochMs; readonly counts: 'as-failure' | 'not' },
): TaskMessage {
  return {
    ...message,
    retried: failure.counts === 'as-failure' ? message.retried + 1 : message.retried,
    errorMessage: describeError(failure.error),
    lastFailedAtSeconds: toEpochSeconds(failure.now),
  };
}
