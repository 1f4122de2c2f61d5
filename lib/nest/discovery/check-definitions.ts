import { taskEventNames } from '../../engine/engine-events.js';
import { showGroupPattern } from '../../engine/maintenance/group-mux.js';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { HandlerConflictError } from '../../model/errors/task-errors.js';
import { checkOneOf, refuse } from '../../model/options/check.js';
import { patternKey, showPattern, taskPatternOf } from '../../model/task/task-pattern.js';
import type { CronDefinition } from './cron.explorer.js';
import type { DecoratedMethod } from './decorated-methods.js';
import type { Definitions } from './explore.js';
import type { HandlerDefinition } from './handler.explorer.js';
import { checkParameters } from './check-parameters.js';

/**
 * Refuses definitions that cannot work, naming the methods at fault.
 *
 * @throws HandlerConflictError when a pattern is blank or has two handlers or aggregators.
 * @throws InvalidOptionError when an instance or an event does not exist, two schedules have one id, a provider cannot
 * be created per task, or a handler would not receive what its parameters expect.
 */
export function checkDefinitions(definitions: Definitions, instances: readonly string[]): void {
  const { handlers, crons, periodicTasks, aggregators, events } = definitions;
  const taken = new Taken();
  for (const definition of [...handlers, ...periodicTasks, ...aggregators, ...events]) {
    const path = `${definition.decorator} on ${definition.location}:`;
    checkOneOf({ path: `${path} instance`, value: definition.instance }, instances);
    checkMadePerTask(definition, path);
  }
  // Schedules are checked first: two with the same id also have the same default type.
  for (const cron of crons) checkScheduleId(cron, taken);
  for (const handler of handlers) checkHandler(handler, taken);
  for (const { instance, location, pattern } of aggregators) {
    const key = ['group', instance, pattern.queue ?? null, pattern.group ?? null];
    const other = taken.by(location, key);
    if (other === undefined) continue;
    throw new HandlerConflictError(`${showGroupPattern(pattern)} have two aggregators: ${other} and ${location}`);
  }
  for (const { location, event } of events) {
    checkOneOf({ path: `@OnTaskEvent on ${location}: event`, value: event }, taskEventNames);
  }
}

function checkHandler(handler: HandlerDefinition, taken: Taken): void {
  const { decorator, location, instance, match } = handler;
  const pattern = taskPatternOf(handler.pattern, { match, path: `${decorator} on ${location}: the pattern` });
  checkParameters(handler);
  const other = taken.by(location, ['pattern', instance, patternKey(pattern)]);
  if (other === undefined) return;
  throw new HandlerConflictError(`Pattern ${showPattern(pattern)} has two handlers: ${other} and ${location}`);
}

function checkScheduleId({ id, handler: { location, instance } }: CronDefinition, taken: Taken): void {
  const other = taken.by(location, ['schedule', instance, id]);
  if (other === undefined) return;
  throw new InvalidOptionError({
    path: `@Cron on ${location}: id`,
    value: id,
    allowed: 'one that no other schedule has',
    message: `Schedule "${id}" is declared twice: by @Cron on ${other} and on ${location}; give one its own id`,
  });
}

/** Records which keys are taken, and by which method. */
class Taken {
  readonly #locations = new Map<string, string>();

  /** Returns the method that took the key before; if there is none, this method takes it. */
  by(location: string, key: readonly (string | null)[]): string | undefined {
    const text = JSON.stringify(key);
    const other = this.#locations.get(text);
    if (other === undefined) this.#locations.set(text, location);
    return other;
  }
}

// Nest creates request-scoped controllers only for its own routers.
function checkMadePerTask({ host, kind }: Pick<DecoratedMethod<unknown>, 'host' | 'kind'>, path: string): void {
  if (kind === 'provider' || host.isDependencyTreeStatic()) return;
  refuse({ path, value: 'a request-scoped controller' }, 'on a provider, which can be created per task');
}
