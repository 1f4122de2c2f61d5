/**
 * `nestjs-asynq/core`: the engine for plain Node. It loads nothing from Nest.
 *
 * @example
 * const asynq = new AsynqClient({ redis: 'redis://localhost:6379' });
 * await asynq.enqueue('email:send', { userId: 42 });
 *
 * const server = new AsynqServer({ redis: 'redis://localhost:6379', concurrency: 20 });
 * await server.run(new TaskMux().handle('email:send', sendMail));
 *
 * @packageDocumentation
 */
export { AsynqClient } from './engine/client/asynq-client.js';
export type { CancelOptions, TaskReference } from './engine/client/asynq-client.js';
export type { ClientOptions } from './engine/client/client-options.js';
export type { EnqueueResult } from './engine/client/enqueue-outcome.js';
export type { EnqueueArguments, EnqueueItem } from './engine/client/task-requests.js';

export { AsynqServer } from './engine/server/asynq-server.js';
export type { ConnectionOptions } from './engine/connection-options.js';
export type {
  AsynqServerOptions,
  ErrorHandler,
  ResolvedServerOptions,
  RetryDelay,
  ServerOptions,
} from './engine/server/server-options.js';
export type { FailureLogLevel, FailureLogs } from './engine/server/failure-log.js';
export { Task } from './engine/server/handler-task.js';
export { GroupMux } from './engine/maintenance/group-mux.js';
export type { GroupPattern } from './engine/maintenance/group-mux.js';
export { AggregatedTask } from './engine/maintenance/task-group.js';
export type { GroupAggregator, TaskGroup, TaskToEnqueue } from './engine/maintenance/task-group.js';
export { TaskMux } from './engine/server/task-mux.js';
export type { MuxMatch } from './engine/server/task-mux.js';
export type { Handler, Middleware } from './engine/middleware.js';

export { AsynqScheduler } from './engine/scheduler/asynq-scheduler.js';
export type { ScheduleArguments, ScheduleInfo } from './engine/scheduler/asynq-scheduler.js';
export { PeriodicTasks } from './engine/scheduler/periodic-tasks.js';
export type { PeriodicTask, PeriodicTaskProvider, PeriodicTasksOptions } from './engine/scheduler/periodic-tasks.js';
export type { ScheduleOptions } from './engine/scheduler/schedule.js';
export type {
  CatchUp,
  ScheduledTask,
  ScheduledTaskOutcome,
  ResolvedSchedulerOptions,
  SchedulerOptions,
} from './engine/scheduler/scheduler-options.js';

export { EngineEventEmitter } from './engine/engine-events.js';
export type {
  EngineEventName,
  EngineEvents,
  EventListener,
  ScheduleEvents,
  ScheduleSubject,
  ServerEvents,
  TaskEventName,
  TaskEvents,
  TaskSubject,
} from './engine/engine-events.js';
export { silentLogger } from './engine/logger.js';
export type { Logger, LogLevel } from './engine/logger.js';
export { systemClock, systemRandom } from './engine/system-clock.js';
export { openBroker } from './engine/open-broker.js';
export type { RedisOption } from './engine/open-broker.js';
export { MemoryBroker } from './memory/memory-broker.js';
export type { MemoryBrokerDeps } from './memory/memory-broker.js';
export { MemoryStore } from './memory/memory-state.js';

export type { Availability, Broker } from './model/broker/broker.js';
export type { CancelOutcome, CancelResult } from './model/broker/presence.contract.js';
export type { ServerStatus } from './model/broker/presence.js';

export { defineTask } from './model/task/task-definition.js';
export type { PatternMatch, PatternOptions, TaskPattern } from './model/task/task-pattern.js';
export type { PayloadOf, TaskArguments, TaskDefinition, TaskDefinitionOptions } from './model/task/task-definition.js';
export type { EnqueueOptions } from './model/task/task-options.js';
export type { Jsonify } from './model/task/jsonify.js';
export { jsonCodec } from './model/task/payload.codec.js';
export type { PayloadCodec } from './model/task/payload.codec.js';
export type { StandardSchemaV1 } from './model/task/standard-schema.js';
export type { TaskInfo } from './model/task/task-info.js';
export type { Headers } from './model/task/task-message.js';
export { taskStates } from './model/task/task-state.js';
export type { TaskState } from './model/task/task-state.js';

export { nextTick } from './model/cron/cron-next.js';
export { parseCronSpec } from './model/cron/cron-spec.js';
export type { CronSpec, CronSpecOptions, CronTimes, EverySpec, FieldsSpec } from './model/cron/cron-spec.js';

export { parseDuration } from './model/options/parse-duration.js';
export { defaultRetryDelay } from './model/retry/retry-delay.js';
export type { Clock, Random, Timer, BackgroundTimers } from './model/time/clock.js';
export type { Duration, EpochMs, Ms } from './model/time/duration.js';

export { AsynqError, InternalError } from './model/errors/asynq-error.js';
export {
  BrokerCommandError,
  BrokerUnavailableError,
  ClockOffError,
  UnsupportedRedisError,
} from './model/errors/broker-errors.js';
export { errorCodes } from './model/errors/codes.js';
export type { ErrorCode } from './model/errors/codes.js';
export { RevokeTaskError, SkipRetryError, SnoozeError } from './model/errors/control-errors.js';
export { CronSpecError } from './model/errors/cron-errors.js';
export { InvalidOptionError } from './model/errors/option-errors.js';
export { ScheduleConflictError, ScheduleNotFoundError } from './model/errors/schedule-errors.js';
export { InvalidStateError, ServerClosedError } from './model/errors/state-errors.js';
export {
  DeadlineExceededError,
  DuplicateTaskError,
  HandlerConflictError,
  HandlerNotFoundError,
  InvalidPayloadError,
  InvalidTaskError,
  LeaseExpiredError,
  TaskAbortedError,
  TaskCanceledError,
  TaskIdConflictError,
  UndecodableMessageError,
} from './model/errors/task-errors.js';
export type { PayloadIssue } from './model/errors/task-errors.js';
