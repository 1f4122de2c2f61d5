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

/** How failures are judged. Both may be the user's: they must have been made safe to call. */
export interface FailurePolicy {
  /** How long to wait before the next run; `retried` is the counter before this failure. */
  delay(retried: number, error: unknown): Ms;
  /** Whether an error counts; one that does not spends no retry. */
  isFailure(error: unknown): boolean;
}

/** A run that failed, and what its failure is judged by. */
export interface FailedRun {
  readonly message: TaskMessage;
  /**
   * What the cancellation that stopped the run asked for, when that is why it failed. A run whose deadline had passed
   * before it began is archived in the same way.
   */
  readonly canceled?: CancelOutcome | undefined;
  readonly policy: FailurePolicy;
  readonly now: EpochMs;
}

/** What may be written for a failed run; one that was revoked is `done`. */
export type FailureSettlement = Extract<Settlement, { kind: 'retry' | 'archive' | 'snooze' | 'done' | 'delete' }>;

/**
 * The one place where a failure becomes an outcome, for a server's own runs and for those it recovers alike
 * (S-47): what the cancellation asked for, else what the error asks for, else another run while retries are
 * left, else the archive.
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
 * What is written for a task whose worker lost it: a failure like any other. The user's policy cannot turn it into
 * anything but a retry or the archive.
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

/** A failed run's outcome: what is written, and what is told once that is stored. */
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
      // Whoever canceled it for good was told by the event of the cancellation.
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

/** The message of a task after a failure, as it is stored (P-79, P-83). */
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
