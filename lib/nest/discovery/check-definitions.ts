import type { TaskEventName } from '../../engine/engine-events.js';
import { HandlerConflictError } from '../../model/errors/task-errors.js';
import { checkOneOf, isBlank, refuse } from '../../model/options/check.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import type { EventDefinition } from './event.explorer.js';
import type { HandlerDefinition } from './handler.explorer.js';

/** What is checked before anything starts. */
export interface Definitions {
  readonly handlers: readonly HandlerDefinition[];
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
export function checkDefinitions({ handlers, events, instances }: Definitions): void {
  const taken = new Map<string, HandlerDefinition>();
  for (const handler of handlers) {
    const { location, instance } = handler;
    const pattern = patternOf(handler);
    if (isBlank(pattern)) {
      throw new HandlerConflictError(`@TaskHandler on ${location}: the pattern must not be blank`);
    }
    checkOneOf({ path: `@TaskHandler on ${location}: instance`, value: instance }, instances);
    checkMadePerTask(handler);
    const key = JSON.stringify([instance, pattern]);
    const other = taken.get(key);
    if (other !== undefined) {
      throw new HandlerConflictError(`Pattern "${pattern}" has two handlers: ${other.location} and ${location}`);
    }
    taken.set(key, handler);
  }
  for (const { location, instance, event } of events) {
    checkOneOf({ path: `@OnTaskEvent on ${location}: instance`, value: instance }, instances);
    checkOneOf({ path: `@OnTaskEvent on ${location}: event`, value: event }, taskEventNames);
  }
}

/** The text that routes tasks to a handler. A definition from a file that imports the handler's own is `undefined`. */
function patternOf({ pattern, location }: HandlerDefinition): string {
  if (typeof pattern === 'string') return pattern;
  const type: unknown = (pattern as TaskDefinition | undefined | null)?.type;
  if (typeof type === 'string') return type;
  return refuse(
    { path: `@TaskHandler on ${location}: the pattern`, value: pattern },
    'a task type, a prefix or what defineTask made',
  );
}

// Nest makes controllers per request only for its own routers.
function checkMadePerTask({ host, kind, location }: HandlerDefinition): void {
  if (kind === 'provider' || host.isDependencyTreeStatic()) return;
  refuse(
    { path: `@TaskHandler on ${location}:`, value: 'a request-scoped controller' },
    'on a provider, which can be made per task',
  );
}

const taskEventNames = Object.keys({
  started: true,
  completed: true,
  retry: true,
  archived: true,
  revoked: true,
  snoozed: true,
  requeued: true,
  returned: true,
  canceled: true,
  recovered: true,
  leaseLost: true,
  lateOutcome: true,
  stuck: true,
  undecodable: true,
} satisfies Record<TaskEventName, true>);
