import type { EngineEvents } from '../../engine/engine-events.js';
import type { ThrottledLogger } from '../../engine/lifecycle/throttled-logger.js';
import type { GroupAggregator, TaskToEnqueue } from '../../engine/maintenance/task-group.js';
import type { PeriodicTask, PeriodicTaskProvider } from '../../engine/scheduler/periodic-tasks.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { AggregatorDefinition } from '../discovery/aggregator.explorer.js';
import type { EventDefinition } from '../discovery/event.explorer.js';
import type { PeriodicTasksDefinition } from '../discovery/periodic-tasks.explorer.js';
import type { BoundMethod } from './enhancers.js';
import { callMethod, type ProviderInstance, isCreatedPerTask, resolveProvider } from './resolve-provider.js';

// Methods without Nest enhancers; a request-scoped or transient provider is created for every call.

/** Returns the function that runs a method for a group. */
export function bindAggregator(definition: AggregatorDefinition): GroupAggregator {
  return async (group) => (await call(definition, group, [group])) as TaskToEnqueue;
}

/** Returns the listener that calls a method for an event; a failure of the method is logged and goes no further. */
export function bindEvent(
  definition: EventDefinition,
  logger: ThrottledLogger,
): (event: EngineEvents[EventDefinition['event']]) => void {
  const { event: name, location } = definition;
  return (event) => {
    call(definition, event, [event]).catch((error: unknown) => {
      logger.error(`${location} failed on "${name}": ${describeError(error)}`, { kind: `${location} failed` });
    });
  };
}

/** Returns the provider that calls a method for periodic tasks. */
export function bindPeriodicTasks(definition: PeriodicTasksDefinition): PeriodicTaskProvider {
  return { getTasks: async () => (await call(definition, {}, [])) as readonly PeriodicTask[] };
}

async function call(bound: BoundMethod, subject: object, args: readonly unknown[]): Promise<unknown> {
  const { host } = bound;
  const instance = isCreatedPerTask(host)
    ? (await resolveProvider(host, { subject })).instance
    : (host.instance as ProviderInstance);
  return await callMethod(instance, bound, args);
}
