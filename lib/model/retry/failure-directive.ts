import { ms, type Ms } from '../time/duration.js';

/** What a handler's error asks for: SkipRetryError, RevokeTaskError, SnoozeError. */
export type FailureDirective =
  { readonly kind: 'revoke' } | { readonly kind: 'archive' } | { readonly kind: 'snooze'; readonly delay: Ms };

// Errors come from anywhere; a tree of them must not keep the worker busy.
const maxErrorsSearched = 1_000;

/**
 * What an error asks for, also when SkipRetryError, RevokeTaskError or SnoozeError is wrapped as the `cause` of another
 * error or is one of an AggregateError; of several the outermost, which a search breadth first finds first. A payload
 * that does not decode is archived, since a retry could not help.
 */
export function directiveOf(error: unknown): FailureDirective | undefined {
  if (isInvalidPayload(error)) return { kind: 'archive' };
  const queue: unknown[] = [error];
  const seen = new Set<unknown>();
  for (let index = 0; index < queue.length && index < maxErrorsSearched; index += 1) {
    const candidate = queue[index];
    if (typeof candidate !== 'object' || candidate === null || seen.has(candidate)) continue;
    seen.add(candidate);
    try {
      const directive = ownDirective(candidate);
      if (directive !== undefined) return directive;
      const { cause, errors } = candidate as { readonly cause?: unknown; readonly errors?: unknown };
      if (cause !== undefined) queue.push(cause);
      if (Array.isArray(errors)) queue.push(...errors.slice(0, maxErrorsSearched));
    } catch {
      // An object that throws when it is looked at asks for nothing.
    }
  }
  return undefined;
}

/** Whether the handler itself decided what becomes of its task, which wins over whatever stopped the run meanwhile. */
export function isHandlersDecision(error: unknown): boolean {
  return directiveOf(error) !== undefined;
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
function ownDirective(error: object): FailureDirective | undefined {
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
