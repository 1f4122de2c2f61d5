import { AsynqError } from '../model/errors/asynq-error.js';
import { InvalidOptionError } from '../model/errors/option-errors.js';
import { suggest } from '../model/options/suggest.js';
import type { AsynqInstance } from './asynq-instance.js';
import type { CronDefinition } from './discovery/cron.explorer.js';

/**
 * Registers the schedules that methods declare with the scheduler of their instance, even in a process that does not
 * schedule: there they can be listed and run by hand, and an invalid schedule is invalid everywhere.
 *
 * @throws InvalidOptionError naming the method whose schedule is invalid, or the option that disables an unknown one.
 */
export function registerCrons(instance: AsynqInstance, crons: readonly CronDefinition[]): void {
  const own = crons.filter(({ handler }) => handler.instance === instance.name);
  const { disabled } = instance.options.scheduler;
  checkDisabled(
    disabled,
    own.map(({ id }) => id),
  );
  for (const cron of own) {
    if (cron.hasDoubtfulId) {
      const { location } = cron.handler;
      instance.logger.warn(
        `@Cron on ${location}: the id "${cron.id}" comes from a class name that a bundler may have generated and may change: set an id`,
      );
    }
    if (cron.isEnabled && !disabled.includes(cron.id)) register(instance, cron);
  }
}

function register({ scheduler }: AsynqInstance, { spec, payload, options, handler }: CronDefinition): void {
  const { pattern, location } = handler;
  try {
    // To the compiler, the two forms of a task are two overloads.
    scheduler.register(spec, pattern as string, payload, options);
  } catch (error) {
    if (!(error instanceof AsynqError)) throw error;
    const isOption = error instanceof InvalidOptionError;
    const path = `@Cron on ${location}: ${isOption ? error.path.replace(ownPath, '') : 'the schedule'}`;
    const value = isOption ? error.value : spec;
    const allowed = isOption ? error.allowed : 'one that can be scheduled';
    const message = `@Cron on ${location}: ${error.message.replace(ownPath, '')}`;
    throw new InvalidOptionError({ path, value, allowed, message }, { cause: error });
  }
}

/** The prefix of option paths in the scheduler's errors. */
const ownPath = /^register: (options\.)?/;

// A misspelled id would leave the schedule ticking.
function checkDisabled(disabled: readonly string[], ids: readonly string[]): void {
  for (const [index, id] of disabled.entries()) {
    if (ids.includes(id)) continue;
    const path = `AsynqModule: scheduler.disabled[${index}]`;
    const meant = suggest(id, ids);
    const hint = meant === undefined ? `the ids are ${ids.join(', ') || 'none'}` : `did you mean ${meant}?`;
    throw new InvalidOptionError({
      path,
      value: id,
      allowed: `one of ${ids.join(', ')}`,
      message: `${path}: no @Cron has the id "${id}"; ${hint}`,
    });
  }
}
