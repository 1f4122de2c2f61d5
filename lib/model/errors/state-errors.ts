import { AsynqError } from './asynq-error.js';

/** A client or server was used in a state that does not allow it; the message names both. */
export class InvalidStateError extends AsynqError {
  readonly code = 'ASYNQ_INVALID_STATE';
}

/** The server was shut down; create a new one (S-11). */
export class ServerClosedError extends AsynqError {
  readonly code = 'ASYNQ_SERVER_CLOSED';

  constructor(options?: ErrorOptions) {
    super('The server is closed and cannot be started again', options);
  }
}
