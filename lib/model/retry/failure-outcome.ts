import type { TaskMessage } from '../task/task-message.js';
import { addMs, type EpochMs, ms, type Ms, toEpochSeconds } from '../time/duration.js';
import { describeError } from './describe-error.js';

/** What becomes of a task whose run failed. */
export type FailureOutcome =
  | {
      readonly kind: 'retry';
      readonly retryAt: EpochMs;
      readonly reason: string;
      /** Whether a retry is spent and the failure is counted. */
      readonly counts: 'as-failure' | 'not';
    }
  | { readonly kind: 'archive'; readonly reason: string }
  | { readonly kind: 'snooze'; readonly until: EpochMs }
  | { readonly kind: 'revoke' };

/** How a server judges failures. Both may be the user's: they must have been made safe to call. */
export interface FailurePolicy {
  /** How long to wait before the next run; `retried` is the counter before this failure. */
  delay(retried: number, error: unknown): Ms;
  /** Whether an error counts; one that does not spends no retry. */
  isFailure(error: unknown): boolean;
}

/** What a decision is made from. */
export interface FailureContext {
  readonly message: Pick<TaskMessage, 'retried' | 'maxRetry'>;
  readonly policy: FailurePolicy;
  readonly now: EpochMs;
}

/**
 * Decides what becomes of a task after a failed run (spec/03 §6.4); used by the processor and the recoverer alike.
 *
 * What the handler asked for by SkipRetryError, RevokeTaskError or SnoozeError wins, also when that is wrapped as the
 * `cause` of another error or is one of an AggregateError; of several the outermost. A payload that does not decode
 * is archived, since a retry could not help.
 */
export function decideFailure(error: unknown, { message, policy, now }: FailureContext): FailureOutcome {
  const wish = findWish(error);
  if (wish?.kind === 'revoke') return wish;
  if (wish?.kind === 'snooze') return { kind: 'snooze', until: addMs(now, wish.delay) };
  const reason = describeError(error);
  if (wish?.kind === 'archive' || message.retried >= message.maxRetry) return { kind: 'archive', reason };
  return {
    kind: 'retry',
    retryAt: addMs(now, policy.delay(message.retried, error)),
    reason,
    counts: policy.isFailure(error) ? 'as-failure' : 'not',
  };
}

/** Whether the handler itself decided what becomes of its task, which wins over whatever stopped the run meanwhile. */
export function isHandlersDecision(error: unknown): boolean {
  return findWish(error) !== undefined;
}

/** The message of a task after a failure, as it is stored (spec/01 §5.12, §5.13). */
export function withFailure(
  message: TaskMessage,
  failure: { readonly reason: string; readonly now: EpochMs; readonly counts: 'as-failure' | 'not' },
): TaskMessage {
  return {
    ...message,
    retried: failure.counts === 'as-failure' ? message.retried + 1 : message.retried,
    errorMessage: failure.reason,
    lastFailedAtSeconds: toEpochSeconds(failure.now),
  };
}

type Wish =
  { readonly kind: 'revoke' } | { readonly kind: 'archive' } | { readonly kind: 'snooze'; readonly delay: Ms };

// Errors come from anywhere; a tree of them must not keep the worker busy.
const mostErrorsSearched = 1_000;

/** What the handler asked for: breadth first, so that the outermost wish is found first. */
function findWish(error: unknown): Wish | undefined {
  if (isInvalidPayload(error)) return { kind: 'archive' };
  const queue: unknown[] = [error];
  const seen = new Set<unknown>();
  for (let index = 0; index < queue.length && index < mostErrorsSearched; index += 1) {
    const candidate = queue[index];
    if (typeof candidate !== 'object' || candidate === null || seen.has(candidate)) continue;
    seen.add(candidate);
    try {
      const wish = wishOf(candidate);
      if (wish !== undefined) return wish;
      const { cause, errors } = candidate as { readonly cause?: unknown; readonly errors?: unknown };
      if (cause !== undefined) queue.push(cause);
      if (Array.isArray(errors)) queue.push(...errors.slice(0, mostErrorsSearched));
    } catch {
      // An object that throws when it is looked at asks for nothing.
    }
  }
  return undefined;
}

/** Only as such: as a cause it may be about another task, one that the handler wanted to enqueue. */
function isInvalidPayload(error: unknown): boolean {
  try {
    return (error as { readonly code?: unknown } | null)?.code === 'ASYNQ_INVALID_PAYLOAD';
  } catch {
    return false;
  }
}

/** By code, not by class: a second copy of this package (a CommonJS one under a test runner) means the same. */
function wishOf(error: object): Wish | undefined {
  const { code, delay } = error as { readonly code?: unknown; readonly delay?: unknown };
  switch (code) {
    case 'ASYNQ_REVOKE_TASK':
      return { kind: 'revoke' };
    case 'ASYNQ_SKIP_RETRY':
      return { kind: 'archive' };
    case 'ASYNQ_SNOOZE':
      return typeof delay === 'number' && Number.isFinite(delay) ? { kind: 'snooze', delay: ms(delay) } : undefined;
    default:
      return undefined;
  }
}
