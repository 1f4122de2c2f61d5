import type { InjectionToken } from '@nestjs/common';
import { AsynqClient } from '../engine/client/asynq-client.js';
import { AsynqScheduler } from '../engine/scheduler/asynq-scheduler.js';
import { AsynqServer } from '../engine/server/asynq-server.js';
import { TaskMux } from '../engine/server/task-mux.js';

/** Name of the instance that is registered without a name. */
export const defaultInstanceName = 'default';

/**
 * Returns the injection token of an instance's client: the class {@link AsynqClient} itself for the default instance.
 *
 * @example
 * const billing = app.get<AsynqClient>(getClientToken('billing'));
 */
export function getClientToken(instance: string = defaultInstanceName): InjectionToken<AsynqClient> {
  return instance === defaultInstanceName ? AsynqClient : `AsynqClient:${instance}`;
}

/**
 * Returns the injection token of an instance's server: the class {@link AsynqServer} itself for the default instance.
 */
export function getServerToken(instance: string = defaultInstanceName): InjectionToken<AsynqServer> {
  return instance === defaultInstanceName ? AsynqServer : `AsynqServer:${instance}`;
}

/** Returns the injection token of an instance's scheduler: {@link AsynqScheduler} itself for the default instance. */
export function getSchedulerToken(instance: string = defaultInstanceName): InjectionToken<AsynqScheduler> {
  return instance === defaultInstanceName ? AsynqScheduler : `AsynqScheduler:${instance}`;
}

/** Returns the injection token of an instance's mux: the class {@link TaskMux} itself for the default instance. */
export function getMuxToken(instance: string = defaultInstanceName): InjectionToken<TaskMux> {
  return instance === defaultInstanceName ? TaskMux : `TaskMux:${instance}`;
}

/** Returns the token of an instance's options as the user gave them. */
export function optionsToken(instance: string): InjectionToken {
  return `AsynqModuleOptions:${instance}`;
}

/** Returns the token of the object that holds an instance's parts. */
export function instanceToken(instance: string): InjectionToken {
  return `AsynqInstance:${instance}`;
}

/**
 * Token of an optional provider that replaces storage, clock and randomness of every instance: an `EngineParts` value.
 * A module that exports it globally makes an application testable.
 */
export const enginePartsToken: InjectionToken = 'AsynqEngineParts';

// Metadata keys are strings, not symbols, so that two loaded copies of this package can read each other's metadata.

/** Metadata of a method: its `@TaskHandler` decorators. */
export const taskHandlerKey = 'nestjs-asynq:task-handlers';

/** Metadata of a method: its `@Cron` decorators. */
export const cronKey = 'nestjs-asynq:crons';

/** Metadata of a method: its `@ProvidesPeriodicTasks` decorators. */
export const periodicTasksKey = 'nestjs-asynq:periodic-tasks';

/** Metadata of a method: its `@TaskAggregator` decorators. */
export const taskAggregatorKey = 'nestjs-asynq:task-aggregators';

/** Metadata of a method: the definitions that its `@TaskPayload` decorators name. */
export const payloadDefinitionsKey = 'nestjs-asynq:payload-definitions';

/** Metadata of a method: its `@OnTaskEvent` decorators. */
export const taskEventKey = 'nestjs-asynq:task-events';
