import type { CancelThen } from '../../model/broker/presence.contract.js';
import type { Settlement } from '../../model/broker/work.contract.js';
import { assertNever } from '../../model/errors/asynq-error.js';
import { describeError } from '../../model/retry/describe-error.js';
import { type FailureOutcome, withFailure } from '../../model/retry/failure-outcome.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import { addMs, type EpochMs, fromSeconds, ms, toEpochSeconds } from '../../model/time/duration.js';

/** What is written after a success (spec/03 §6.3). */
export function settleSuccess(
  message: TaskMessage,
  run: { readonly result: Uint8Array | undefined; readonly now: EpochMs },
): Settlement {
  if (message.retentionSeconds <= 0) return { kind: 'done', message };
  return {
    kind: 'complete',
    message: { ...message, completedAtSeconds: toEpochSeconds(run.now) },
    expiresAt: addMs(run.now, fromSeconds(message.retentionSeconds)),
    result: run.result,
  };
}

/** What is written after a failure that was judged (spec/03 §6.4). */
export function settleFailure(
  message: TaskMessage,
  run: { readonly outcome: FailureOutcome; readonly now: EpochMs },
): Settlement {
  const { outcome, now } = run;
  switch (outcome.kind) {
    case 'retry': {
      const { reason, counts, retryAt } = outcome;
      return { kind: 'retry', message: withFailure(message, { reason, now, counts }), retryAt, counts };
    }
    case 'archive':
      return { kind: 'archive', message: withFailure(message, { reason: outcome.reason, now, counts: 'not' }) };
    case 'snooze':
      return { kind: 'snooze', message, until: outcome.until };
    case 'revoke':
      return { kind: 'done', message };
    default:
      return assertNever(outcome);
  }
}

/** What is written for a canceled run whose handler did not decide itself; `undefined`: like any failure. */
export function settleCanceled(
  message: TaskMessage,
  run: { readonly then: CancelThen; readonly error: unknown; readonly now: EpochMs },
): Settlement | undefined {
  switch (run.then) {
    case 'delete':
      return { kind: 'delete', message };
    case 'archive':
      return {
        kind: 'archive',
        message: withFailure(message, { reason: describeError(run.error), now: run.now, counts: 'not' }),
      };
    case 'retry':
      return undefined;
    default:
      return assertNever(run.then);
  }
}

/** What is written for a task whose type no handler of this server knows: it rests longer with every return. */
export function settleUnknown(message: TaskMessage): Settlement {
  return { kind: 'return', message, first: ms(100), longest: ms(60_000) };
}
