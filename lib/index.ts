/**
 * `nestjs-asynq`: the module and decorators for NestJS, and everything in `nestjs-asynq/core`.
 *
 * @example
 * @Module({ imports: [AsynqModule.forRoot({ redis: 'redis://localhost:6379' })], providers: [EmailTasks] })
 * export class AppModule {}
 *
 * @packageDocumentation
 */
export * from './core.js';

export { AsynqModule } from './nest/asynq.module.js';
export type {
  AsynqInstanceOptions,
  AsynqModuleAsyncOptions,
  AsynqModuleOptions,
  AsynqOptionsFactory,
  AsynqRole,
  ModuleClientOptions,
} from './nest/asynq-module-options.js';
export { getClientToken, getMuxToken, getSchedulerToken, getServerToken } from './nest/asynq.tokens.js';
export type { ModuleSchedulerOptions } from './nest/module-scheduler-options.js';

export type { Configurable, ConfigurableFactory, ConfigurableOptions } from './nest/decorators/configurable.js';
export { Cron } from './nest/decorators/cron.decorator.js';
export type { CronOptions } from './nest/decorators/cron.decorator.js';
export { InjectClient, InjectMux, InjectScheduler, InjectServer } from './nest/decorators/inject.decorators.js';
export { OnTaskEvent } from './nest/decorators/on-task-event.decorator.js';
export type { OnTaskEventDecorator, OnTaskEventOptions } from './nest/decorators/on-task-event.decorator.js';
export { TaskAggregator } from './nest/decorators/task-aggregator.decorator.js';
export type { TaskAggregatorDecorator, TaskAggregatorOptions } from './nest/decorators/task-aggregator.decorator.js';
export { ProvidesPeriodicTasks } from './nest/decorators/provides-periodic-tasks.decorator.js';
export type {
  ProvidesPeriodicTasksDecorator,
  ProvidesPeriodicTasksOptions,
} from './nest/decorators/provides-periodic-tasks.decorator.js';
export { TaskHandler } from './nest/decorators/task-handler.decorator.js';
export type { TaskHandlerDecorator, TaskHandlerOptions } from './nest/decorators/task-handler.decorator.js';
export { CurrentTask, TaskHeaders, TaskPayload, TaskSignal } from './nest/decorators/task-param.decorators.js';
export type { TaskPayloadDecorator } from './nest/decorators/task-param.decorators.js';
export { taskOf } from './nest/execution/execution-context.js';
