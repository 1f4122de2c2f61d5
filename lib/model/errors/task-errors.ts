import { AsynqError } from './asynq-error.js';
import { showValue } from './option-errors.js';

/** An equal task (same queue, type and payload) holds the unique lock; nothing was enqueued (P-38). */
export class DuplicateTaskError extends AsynqError {
  readonly code = 'ASYNQ_DUPLICATE_TASK';

  constructor(
    readonly queue: string,
    readonly type: string,
    options?: ErrorOptions,
  ) {
    super(`Task "${type}" is a duplicate: an equal task in queue "${queue}" holds the unique lock`, options);
  }
}

/** A task with the same id exists in the queue, in any state; nothing was enqueued (P-34). */
export class TaskIdConflictError extends AsynqError {
  readonly code = 'ASYNQ_TASK_ID_CONFLICT';

  constructor(
    readonly queue: string,
    readonly taskId: string,
    options?: ErrorOptions,
  ) {
    super(`Task id ${showValue(taskId)} is taken in queue ${showValue(queue)}`, options);
  }
}

/** The task cannot be enqueued as given; the message says what is wrong, and nothing was sent (C-02). */
export class InvalidTaskError extends AsynqError {
  readonly code = 'ASYNQ_INVALID_TASK';
}

/** One issue that a schema found in a payload. */
export interface PayloadIssue {
  readonly message: string;
  /** Path within the payload; empty for the payload as a whole. */
  readonly path: readonly PropertyKey[];
}

/** The payload does not decode, or does not match the schema of its task definition. A retry would not help. */
export class InvalidPayloadError extends AsynqError {
  readonly code = 'ASYNQ_INVALID_PAYLOAD';

  constructor(
    message: string,
    readonly issues: readonly PayloadIssue[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The stored record of a task does not decode; the task is archived under its id with this reason. */
export class UndecodableMessageError extends AsynqError {
  readonly code = 'ASYNQ_UNDECODABLE_MESSAGE';
}

/** No handler is registered for the type of a task. The text is what Asynq stores (S-63). */
export class HandlerNotFoundError extends AsynqError {
  readonly code = 'ASYNQ_HANDLER_NOT_FOUND';

  constructor(
    readonly type: string,
    options?: ErrorOptions,
  ) {
    super(`handler not found for task ${JSON.stringify(type)}`, options);
  }
}

/** A pattern is blank or has two handlers. */
export class HandlerConflictError extends AsynqError {
  readonly code = 'ASYNQ_HANDLER_CONFLICT';
}

/** The handler ran past the task's timeout or deadline. The text is what Asynq stores (S-44). */
export class DeadlineExceededError extends AsynqError {
  readonly code = 'ASYNQ_DEADLINE_EXCEEDED';

  constructor(options?: ErrorOptions) {
    super('context deadline exceeded', options);
  }
}

/** The running task was canceled. The text is what Asynq stores (S-100). */
export class TaskCanceledError extends AsynqError {
  readonly code = 'ASYNQ_TASK_CANCELED';

  constructor(options?: ErrorOptions) {
    super('context canceled', options);
  }
}

/** The lease expired: another worker may have the task now. The text is what Asynq stores (S-81). */
export class LeaseExpiredError extends AsynqError {
  readonly code = 'ASYNQ_LEASE_EXPIRED';

  constructor(options?: ErrorOptions) {
    super('asynq: task lease expired', options);
  }
}

/** The server shut down before the handler ended; the task is back at the head of its queue. */
export class TaskAbortedError extends AsynqError {
  readonly code = 'ASYNQ_TASK_ABORTED';

  constructor(options?: ErrorOptions) {
    super('The server shut down; the task is back in its queue', options);
  }
}
