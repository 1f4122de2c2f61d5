import { AsynqError } from './asynq-error.js';

/** Redis could not be reached, or did not answer in time. The operation may be tried again. */
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
