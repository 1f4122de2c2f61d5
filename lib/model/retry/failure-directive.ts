import { ms, type Ms } from '../time/duration.js';

/** What a handler's error asks for: SkipRetryError, RevokeTaskError, SnoozeError. */
export type FailureDirective =
  { readonly kind: 'revoke' } | { readonly kind: 'archive' } | { readonly kind: 'snooze'; readonly delay: Ms };

// Errors come from anywhere; a tree of them must not keep the worker busy.
const maxErrorsSearched = 1_000;

/**
 * Returns what an error asks for, even if SkipRetryError, RevokeTaskError or SnoozeError is wrapped as the `cause` of
 * another error or is part of an AggregateError; of several, the outermost one counts, which a breadth-first search
 * finds first. A payload that does not decode is archived, since a retry would not help.
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
      // An object that throws when it is inspected asks for nothing.
    }
  }
  return undefined;
}

/** Whether the handler itself decided about its task, which overrides whatever stopped the run in the meantime. */
export function isHandlersDecision(error: unknown): boolean {
  return directiveOf(error) !== undefined;
}

/** Checks only the error itself: a cause may be about another task, which the handler wanted to enqueue. */
function isInvalidPayload(error: unknown): boolean {
  try {
    return (error as { readonly code?: unknown } | null)?.code === 'ASYNQ_INVALID_PAYLOAD';
  } catch {
    return false;
  }
}

/** Compares codes, not classes: errors of a second copy of this package (CommonJS under a test runner) count, too. */
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
