import type { ErrorCode } from './codes.js';

/**
 * Base class of every error of this library. Branch on {@link AsynqError.code} or `instanceof`, never on the text.
 *
 * @example
 * try {
 *   await asynq.enqueue('email:send', payload, { unique: '1h' });
 * } catch (error) {
 *   if (error instanceof AsynqError && error.code === 'ASYNQ_DUPLICATE_TASK') return;
 *   throw error;
 * }
 */
export abstract class AsynqError extends Error {
  /** Stable across releases; listed with its meaning in the documentation. */
  abstract readonly code: ErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A violated invariant, which is a bug in this library; please report it. */
export class InternalError extends AsynqError {
  readonly code = 'ASYNQ_INTERNAL';
}

/** Returns the error if it is an AsynqError; anything else is a bug in this library. */
export function asAsynqError(error: unknown): AsynqError {
  if (error instanceof AsynqError) return error;
  return new InternalError('A broker call failed in an unexpected way', { cause: error });
}

/** Ends an exhaustive `switch`: does not compile while a case is missing. */
export function assertNever(value: never): never {
  throw new InternalError(`Unexpected value: ${JSON.stringify(value)}`);
}
