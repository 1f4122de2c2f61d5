import type { ExecutionContext } from '@nestjs/common';
import { isObservable } from 'rxjs';
import type { ThrottledLogger } from '../../engine/lifecycle/throttled-logger.js';
import { InvalidPayloadError } from '../../model/errors/task-errors.js';
import { isHandlersDecision } from '../../model/retry/failure-directive.js';
import type { BoundFilter } from './enhancers.js';
import { lastOf } from './settle-answer.js';

/** A failure, and the context passed to filters. */
export interface FilteredFailure {
  readonly error: unknown;
  readonly context: ExecutionContext;
  /** The method, for messages. */
  readonly location: string;
  readonly logger: ThrottledLogger;
}

/**
 * Calls the first filter that catches the error. A value that it returns is the result. The failure stands when the
 * filter returns nothing, an Error or a stream that fails: Nest's own filters do that to pass an error on. It also
 * stands when the filter itself fails, which is logged, unless that error decides about the task.
 *
 * @throws the error, or the filter's decision to skip retries, revoke or snooze.
 */
export async function applyFilters(filters: readonly BoundFilter[], failure: FilteredFailure): Promise<unknown> {
  const { error, context } = failure;
  // A decision of the handler is not a failure for a filter to handle.
  const isAsked = error instanceof InvalidPayloadError || !isHandlersDecision(error);
  const filter = isAsked ? filters.find((candidate) => catches(candidate, error)) : undefined;
  if (filter === undefined) throw error;
  let answer: unknown;
  try {
    answer = await filter.func(error, context);
  } catch (thrown) {
    throw passedOn(thrown, failure);
  }
  if (isObservable(answer)) {
    answer = await lastOf(answer).catch((mapped: unknown) => {
      throw isHandlersDecision(mapped) ? mapped : error;
    });
  }
  if (isHandlersDecision(answer)) throw answer;
  if (answer === undefined || answer === null || answer instanceof Error) throw error;
  return answer;
}

function passedOn(thrown: unknown, { error, location, logger }: FilteredFailure): unknown {
  if (isHandlersDecision(thrown)) return thrown;
  if (thrown !== error) {
    logger.error(`An exception filter of ${location} failed: ${stackOf(thrown)}`, { kind: `filter of ${location}` });
  }
  return error;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function catches({ exceptionMetatypes }: BoundFilter, error: unknown): boolean {
  return exceptionMetatypes.length === 0 || exceptionMetatypes.some((type) => error instanceof type);
}
