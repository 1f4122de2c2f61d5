import type { ModuleRef } from '@nestjs/core';
import { type AggregatorDefinition, exploreAggregators } from './aggregator.explorer.js';
import { type CronDefinition, exploreCrons, handlersOf } from './cron.explorer.js';
import type { DecoratedMethods } from './decorated-methods.js';
import { type EventDefinition, exploreEvents } from './event.explorer.js';
import { exploreHandlers, type HandlerDefinition } from './handler.explorer.js';
import { explorePeriodicTasks, type PeriodicTasksDefinition } from './periodic-tasks.explorer.js';

/** Everything enabled that the decorators of an application declare. */
export interface Definitions {
  /** Includes the handlers of schedules. */
  readonly handlers: readonly HandlerDefinition[];
  readonly crons: readonly CronDefinition[];
  readonly periodicTasks: readonly PeriodicTasksDefinition[];
  readonly aggregators: readonly AggregatorDefinition[];
  readonly events: readonly EventDefinition[];
}

/**
 * Finds what an application declares. Registers nothing.
 *
 * @throws InvalidOptionError, HandlerConflictError when a decorator's options are invalid, naming the method.
 */
export async function explore(methods: DecoratedMethods, moduleRef: ModuleRef): Promise<Definitions> {
  const declared = await exploreHandlers(methods, moduleRef);
  const crons = await exploreCrons(methods, moduleRef);
  return {
    handlers: [...declared, ...handlersOf(crons, declared)],
    crons,
    periodicTasks: await explorePeriodicTasks(methods, moduleRef),
    aggregators: await exploreAggregators(methods, moduleRef),
    events: await exploreEvents(methods, moduleRef),
  };
}
