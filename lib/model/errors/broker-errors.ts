import type { Ms } from '../time/duration.js';
import { AsynqError } from './asynq-error.js';

/** Redis could not be reached, or did not answer in time. The operation can be retried. */
export class BrokerUnavailableError extends AsynqError {
  readonly code = 'ASYNQ_BROKER_UNAVAILABLE';
}

/** Redis answered with an error; `cause` is its reply. */
export class BrokerCommandError extends AsynqError {
  readonly code = 'ASYNQ_BROKER_COMMAND';
}

/** The server is older than the library supports, or lacks a command that it needs. */
export class UnsupportedRedisError extends AsynqError {
  readonly code = 'ASYNQ_UNSUPPORTED_REDIS';
}

/** The clock of this machine and that of Redis differ by more than a lease, so a server takes no tasks. */
export class ClockOffError extends AsynqError {
  readonly code = 'ASYNQ_CLOCK_OFF';

  /** `offset` is positive when this machine's clock is ahead. */
  constructor(readonly offset: Ms) {
    super(describeOffset(offset));
  }
}

/** Describes an offset: `The clock of this machine is 12.5 s behind that of Redis`. */
export function describeOffset(offset: Ms): string {
  const seconds = (Math.abs(offset) / 1_000).toFixed(1);
  return `The clock of this machine is ${seconds} s ${offset > 0 ? 'ahead of' : 'behind'} that of Redis`;
}
