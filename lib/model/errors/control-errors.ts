import { InvalidOptionError } from './option-errors.js';
import { AsynqError } from './asynq-error.js';
import { durationForms, type Duration, type Ms, readDuration } from '../time/duration.js';

/**
 * Thrown by a handler to archive the task at once, whatever retries are left (S-49).
 *
 * @example
 * throw new SkipRetryError('the account was deleted', { cause: error });
 */
export class SkipRetryError extends AsynqError {
  readonly code = 'ASYNQ_SKIP_RETRY';

  constructor(message = 'skip retry for the task', options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Thrown by a handler to drop the task: it is neither retried nor archived, and its unique lock is freed (S-50).
 *
 * @example
 * throw new RevokeTaskError('order was withdrawn');
 */
export class RevokeTaskError extends AsynqError {
  readonly code = 'ASYNQ_REVOKE_TASK';

  constructor(message = 'revoke task', options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Thrown by a handler to put the task back for a while without counting a retry.
 *
 * @throws InvalidOptionError when the delay is not a duration or is negative.
 * @example
 * if (await rateLimited()) throw new SnoozeError('30s');
 */
export class SnoozeError extends AsynqError {
  readonly code = 'ASYNQ_SNOOZE';
  /** How long the task is delayed, in milliseconds. */
  readonly delay: Ms;

  constructor(delay: Duration, options?: ErrorOptions) {
    const parsed = readDuration(delay);
    if (parsed === undefined || parsed < 0) {
      throw new InvalidOptionError({ path: 'SnoozeError: delay', value: delay, allowed: durationForms });
    }
    super(`snoozed for ${parsed} ms`, options);
    this.delay = parsed;
  }
}
