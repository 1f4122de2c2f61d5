import type { ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { PeriodicTasks } from '../engine/scheduler/periodic-tasks.js';
import { wrap } from '../engine/server/task-mux.js';
import type { AsynqInstance } from './asynq-instance.js';
import { describeDefinitions } from './discovery/describe-definitions.js';
import type { Definitions } from './discovery/explore.js';
import { bindAggregator, bindEvent, bindPeriodicTasks } from './execution/bind-methods.js';
import { EnhancerFinder } from './execution/enhancers.js';
import { GlobalEnhancers } from './execution/global-enhancers.js';
import { HandlerInvoker } from './execution/handler.invoker.js';
import { registerCrons } from './register-crons.js';

/** Where definitions are registered, and access to Nest. */
export interface Registration {
  readonly instances: readonly AsynqInstance[];
  readonly moduleRef: ModuleRef;
  readonly external: ExternalContextCreator;
}

/**
 * Registers every definition with its instance. The definitions must have been checked; nothing starts.
 *
 * @throws InvalidOptionError naming the method whose schedule is invalid.
 */
export function registerDefinitions(definitions: Definitions, { instances, moduleRef, external }: Registration): void {
  const finder = new EnhancerFinder(external);
  const globals = new GlobalEnhancers({ moduleRef, finder });
  for (const instance of instances) {
    const { options, logger, mux, groups, server, scheduler, periodicTasks } = instance;
    const isOwn = (definition: { readonly instance: string }): boolean => definition.instance === instance.name;
    const invoker = new HandlerInvoker({ finder, globals, kinds: options.globalEnhancers, logger });
    for (const handler of definitions.handlers.filter(isOwn)) {
      const { pattern, match, middleware } = handler;
      mux.handle(pattern, wrap(invoker.bind(handler), middleware), { match });
    }
    for (const event of definitions.events.filter(isOwn)) server.events.on(event.event, bindEvent(event, logger));
    for (const aggregator of definitions.aggregators.filter(isOwn)) {
      groups.handle(aggregator.pattern, bindAggregator(aggregator));
    }
    for (const definition of definitions.periodicTasks.filter(isOwn)) {
      const { syncInterval } = definition;
      periodicTasks.push(new PeriodicTasks({ scheduler, syncInterval, provider: bindPeriodicTasks(definition) }));
    }
    registerCrons(instance, definitions.crons);
    const found = describeDefinitions(definitions, instance);
    if (found !== undefined) logger.info(found);
    const enhancers = globals.describe(options.globalEnhancers);
    if (enhancers !== undefined && instance.mayHandle && definitions.handlers.some(isOwn)) logger.info(enhancers);
  }
}
