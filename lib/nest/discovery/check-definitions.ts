import { taskEventNames } from '../../engine/engine-events.js';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { HandlerConflictError } from '../../model/errors/task-errors.js';
import { checkOneOf, refuse } from '../../model/options/check.js';
import { patternKey, showPattern, taskPatternOf } from '../../model/task/task-pattern.js';
import type { CronDefinition } from './cron.explorer.js';
import type { EventDefinition } from './event.explorer.js';
import type { HandlerDefinition } from './handler.explorer.js';
import type { PeriodicTasksDefinition } from './periodic-tasks.explorer.js';

/** What is checked before anything starts. */
export interface Definitions {
  /** Those of schedules included. */
  readonly handlers: readonly HandlerDefinition[];
  readonly crons: readonly CronDefinition[];
  readonly periodicTasks: readonly PeriodicTasksDefinition[];
  readonly events: readonly EventDefinition[];
  /** Names of the registered instances. */
  readonly instances: readonly string[];
}

/**
 * Refuses what cannot work, naming the methods at fault.
 *
 * @throws HandlerConflictError when a pattern is blank or has two handlers.
 * @throws InvalidOptionError when an instance or an event does not exist, or a handler cannot be made per task.
 */
export function checkDefinitions({ handlers, crons, periodicTasks, events, instances }: Definitions): void {
  const taken = new Map<string, HandlerDefinition>();
  for (const handler of handlers) {
    const { decorator, location, instance } = handler;
    const path = `${decorator} on ${location}: the pattern`;
    const pattern = taskPatternOf(handler.pattern, { match: handler.match, path });
    checkOneOf({ path: `${decorator} on ${location}: instance`, value: instance }, instances);
    checkMadePerTask(handler);
    const key = JSON.stringify([instance, patternKey(pattern)]);
    const other = taken.get(key);
    if (other !== undefined) {
      throw new HandlerConflictError(
        `Pattern ${showPattern(pattern)} has two handlers: ${other.location} and ${location}`,
      );
    }
    taken.set(key, handler);
  }
  checkScheduleIds(crons);
  for (const definition of periodicTasks) {
    const { decorator, location, instance } = definition;
    checkOneOf({ path: `${decorator} on ${location}: instance`, value: instance }, instances);
    checkMadePerTask(definition);
  }
  for (const { location, instance, event } of events) {
    checkOneOf({ path: `@OnTaskEvent on ${location}: instance`, value: instance }, instances);
    checkOneOf({ path: `@OnTaskEvent on ${location}: event`, value: event }, taskEventNames);
  }
}

function checkScheduleIds(crons: readonly CronDefinition[]): void {
  const taken = new Map<string, CronDefinition>();
  for (const cron of crons) {
    const { location, instance } = cron.handler;
    const key = JSON.stringify([instance, cron.id]);
    const other = taken.get(key);
    if (other !== undefined) {
      throw new InvalidOptionError({
        path: `@Cron on ${location}: id`,
        value: cron.id,
        allowed: 'one that no other schedule has',
        message: `Schedule "${cron.id}" is declared twice: by @Cron on ${other.handler.location} and on ${location}; give one an id of its own`,
      });
    }
    taken.set(key, cron);
  }
}

// Nest makes controllers per request only for its own routers.
function checkMadePerTask({ decorator, host, kind, location }: HandlerDefinition | PeriodicTasksDefinition): void {
  if (kind === 'provider' || host.isDependencyTreeStatic()) return;
  refuse(
    { path: `${decorator} on ${location}:`, value: 'a request-scoped controller' },
    'on a provider, which can be made per task',
  );
}
