import type { CronSpec } from '../../model/cron/cron-spec.js';
import { shortestPeriod } from '../../model/cron/shortest-period.js';
import { InvalidOptionError, showValue } from '../../model/errors/option-errors.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import type { TaskOptions } from '../../model/task/task-options.js';
import { fromSeconds, ms, type Ms, toSecondsUp } from '../../model/time/duration.js';
import { formatGoDuration } from '../../model/time/go-time-text.js';

/** A schedule's task and options, as they were registered. */
interface Registered {
  readonly task: string | TaskDefinition;
  /** The options as they were written. */
  readonly options: object;
}

const instead = "With overlap: 'skip' a tick enqueues nothing while an earlier task waits or runs";

/**
 * Refuses an id that all tasks of a schedule would share.
 *
 * @throws InvalidOptionError
 */
export function checkNoTaskId({ taskId }: TaskOptions, registered: Registered): void {
  if (taskId === undefined) return;
  const path = registrationPath('taskId', registered);
  const allowed = 'left out of a schedule';
  const message = `${path} must be ${allowed}, got ${showValue(taskId)}: while a task with this id is stored, even one that has failed for good or is kept by retention, no tick could enqueue another. Each tick gives its task its own id, once for the whole fleet. ${instead}`;
  throw new InvalidOptionError({ path, value: taskId, allowed, message });
}

/**
 * Refuses a unique lock that outlives the time between two ticks.
 *
 * @throws InvalidOptionError
 */
export function checkUniqueLock(schedule: {
  readonly cron: CronSpec;
  readonly taskOptions: TaskOptions;
  readonly registration: Registered;
}): void {
  const { cron, taskOptions, registration } = schedule;
  const { unique, processIn = ms(0) } = taskOptions;
  if (unique === undefined) return;
  const period = shortestPeriod(cron);
  if (period === undefined || lockTime(unique, processIn) <= period) return;
  const path = registrationPath('unique', registration);
  const value = givenIn(registration, 'unique') ?? unique;
  const allowed = allowedUnique(cron, { period, processIn });
  const got = typeof value === 'number' ? formatDuration(ms(value)) : showValue(value);
  const message = `${path} must be ${allowed}, got ${got}: a task that fails for good keeps its lock, and until the lock expires no tick could enqueue another. ${instead}`;
  throw new InvalidOptionError({ path, value, allowed, message });
}

/** The lock's duration as it is stored: including the delay, in whole seconds. */
function lockTime(unique: Ms, processIn: Ms): Ms {
  return fromSeconds(toSecondsUp(ms(unique + processIn)));
}

function allowedUnique(
  { spec }: CronSpec,
  { period, processIn }: { readonly period: Ms; readonly processIn: Ms },
): string {
  const longest = ms(period - processIn);
  const between = `the shortest time between two ticks of ${showValue(spec)}`;
  if (longest < 1_000) return `left out: processIn alone takes ${between}`;
  return `at most ${formatDuration(longest)}, ${between}${processIn === 0 ? '' : ' minus processIn'}`;
}

/** Returns where an option was given: with the schedule, with its definition, or for all schedules. */
function registrationPath(name: 'taskId' | 'unique', registered: Registered): string {
  const { task } = registered;
  if (givenIn(registered, name) !== undefined) return `register: options.${name}`;
  const isOfDefinition = typeof task !== 'string' && task.options[name] !== undefined;
  return `register: ${name} of the ${isOfDefinition ? `definition ${showValue(task.type)}` : 'defaults'}`;
}

function givenIn({ options }: Registered, name: string): unknown {
  return (options as Readonly<Record<string, unknown>>)[name];
}

/** Formats a duration as `24h` where Go writes `24h0m0s`. */
function formatDuration(duration: Ms): string {
  return formatGoDuration(duration).replace(/(?<=[hm])0[ms]/gu, '');
}
