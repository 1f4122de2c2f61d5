import type { ModuleRef } from '@nestjs/core';
import { showGroupPattern } from '../engine/maintenance/group-mux.js';
import { HandlerConflictError } from '../model/errors/task-errors.js';
import { checkOneOf, refuse } from '../model/options/check.js';
import type { AsynqInstances } from './asynq-instances.js';
import { type AggregatorDefinition, exploreAggregators } from './discovery/aggregator.explorer.js';
import type { DecoratedMethods } from './discovery/decorated-methods.js';
import { bindAggregator } from './execution/aggregator-method.js';

/** What an application's aggregators are found and registered with. */
export interface AggregatorRegistration {
  readonly instances: AsynqInstances;
  readonly methods: DecoratedMethods;
  readonly moduleRef: ModuleRef;
}

/**
 * Finds the methods that aggregate groups and registers each with its instance.
 *
 * @throws HandlerConflictError when a pattern is blank or has two aggregators; InvalidOptionError when an option is
 * wrong or a provider cannot be made for a group. Both name the methods at fault.
 */
export async function registerAggregators({ instances, methods, moduleRef }: AggregatorRegistration): Promise<void> {
  const aggregators = await exploreAggregators(methods, moduleRef);
  checkAggregators(aggregators, instances.names);
  for (const { name, groups } of instances.all) {
    for (const aggregator of aggregators) {
      if (aggregator.instance === name) groups.handle(aggregator.pattern, bindAggregator(aggregator));
    }
  }
}

function checkAggregators(aggregators: readonly AggregatorDefinition[], instances: readonly string[]): void {
  const taken = new Map<string, AggregatorDefinition>();
  for (const aggregator of aggregators) {
    const { host, kind, location, instance, pattern } = aggregator;
    const path = `@TaskAggregator on ${location}:`;
    checkOneOf({ path: `${path} instance`, value: instance }, instances);
    // Nest makes controllers per request only for its own routers.
    if (kind === 'controller' && !host.isDependencyTreeStatic()) {
      refuse({ path, value: 'a request-scoped controller' }, 'on a provider, which can be made per group');
    }
    const key = JSON.stringify([instance, pattern.queue ?? null, pattern.group ?? null]);
    const other = taken.get(key);
    if (other !== undefined) {
      throw new HandlerConflictError(
        `${showGroupPattern(pattern)} have two aggregators: ${other.location} and ${location}`,
      );
    }
    taken.set(key, aggregator);
  }
}
