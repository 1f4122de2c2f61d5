/** Every error code with one line of meaning. The page docs/errors.md lists the same; a test compares the two. */
export const errorCodes = {
  ASYNQ_BROKER_UNAVAILABLE: 'Redis could not be reached, or did not answer in time',
  ASYNQ_BROKER_COMMAND: 'Redis answered a command with an error',
  ASYNQ_UNSUPPORTED_REDIS:
    'The Redis server is older than 6.2, lacks a command the library needs, or is a cluster node configured as a single server',
  ASYNQ_CLOCK_OFF: 'The clock of the machine differs from that of Redis by more than a lease',
  ASYNQ_DUPLICATE_TASK: 'An equal task holds the unique lock',
  ASYNQ_TASK_ID_CONFLICT: 'A task with this id already exists in the queue',
  ASYNQ_INVALID_OPTION: 'An option has a value that is not allowed, or does not exist',
  ASYNQ_INVALID_CRON_SPEC: 'A cron spec cannot be parsed',
  ASYNQ_SCHEDULE_NOT_FOUND: 'No schedule with this id is registered',
  ASYNQ_SCHEDULE_CONFLICT: 'A schedule with this id, given or derived from the same content, is already registered',
  ASYNQ_INVALID_TASK: 'The task cannot be enqueued as it was given',
  ASYNQ_INVALID_PAYLOAD: 'The payload of a task does not decode or does not match its schema',
  ASYNQ_UNDECODABLE_MESSAGE: 'The stored record of a task does not decode',
  ASYNQ_HANDLER_NOT_FOUND: 'No handler is registered for the type of a task',
  ASYNQ_HANDLER_CONFLICT: 'Two handlers are registered for one pattern, or a pattern is blank',
  ASYNQ_SKIP_RETRY: 'Thrown by a handler: archive the task at once',
  ASYNQ_REVOKE_TASK: 'Thrown by a handler: drop the task',
  ASYNQ_SNOOZE: 'Thrown by a handler: put the task back for a while without counting a retry',
  ASYNQ_DEADLINE_EXCEEDED: 'A handler ran past the timeout or deadline of its task',
  ASYNQ_TASK_CANCELED: 'A running task was canceled',
  ASYNQ_LEASE_EXPIRED: 'The lease of a running task expired, so its worker lost the right to run it',
  ASYNQ_TASK_ABORTED: 'The server shut down before the handler ended; the task is back in its queue',
  ASYNQ_INVALID_STATE: 'A client or server was used in a state that does not allow it',
  ASYNQ_SERVER_CLOSED: 'The server was shut down and cannot be started again',
  ASYNQ_TEST_EXPECTATION: 'A test expected the application to have enqueued something else',
  ASYNQ_TEST_ENDLESS_DRAIN: 'Tasks kept coming while a test ran the due tasks',
  ASYNQ_TEST_HANDLER_RUNS_ON: 'A handler did not end while a test waited for it',
  ASYNQ_INTERNAL: 'A bug in this library',
} as const;

/** The code of an {@link AsynqError}. */
export type ErrorCode = keyof typeof errorCodes;
