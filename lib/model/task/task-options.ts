import {
  checkDuration,
  checkInstant,
  checkInteger,
  checkObject,
  checkText,
  type Given,
  isWellFormed,
  pathOf,
  refuse,
  unknownOption,
} from '../options/check.js';
import { checkQueueName } from '../queue/queue-name.js';
import { type Duration, type EpochMs, type Ms, ms } from '../time/duration.js';
import type { Headers } from './task-message.js';

/**
 * Options for enqueueing a task (C-14). Fractions of a second in `timeout`, `retention` and `unique` are rounded up to
 * whole seconds, which is what the protocol stores; `processAt` and `processIn` are exact to the millisecond.
 */
export interface EnqueueOptions {
  /** Queue the task goes to; case-sensitive. Default `'default'`. */
  readonly queue?: string | undefined;
  /** Retries allowed after the first run, 0 to 2147483647. Default 25. */
  readonly maxRetry?: number | undefined;
  /** Time limit of one run. Default 30 minutes, unless there is a `deadline`; 0 counts as not given. */
  readonly timeout?: Duration | undefined;
  /** Instant at which every run must have ended. Default: none. */
  readonly deadline?: Date | undefined;
  /** When the task runs; a time in the past means now. Not together with `processIn`. Default: now. */
  readonly processAt?: Date | undefined;
  /** The delay after which the task runs. Not together with `processAt`. Default: now. */
  readonly processIn?: Duration | undefined;
  /**
   * Refuses equal tasks (same queue, type and payload) for this long, at least a second, or until this one succeeds.
   * Default: equal tasks are allowed.
   */
  readonly unique?: Duration | undefined;
  /** The task's id in its queue; enqueueing it again while it exists is refused. Default: a random UUID. */
  readonly taskId?: string | undefined;
  /** How long the task is kept after success, with its result. Default: not at all. */
  readonly retention?: Duration | undefined;
  /** Group the task waits in to be aggregated with others. Default: none. */
  readonly group?: string | undefined;
  /** Metadata for the handler; keys and values are strings. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Options with units applied, of one layer or of several; `undefined` means not given. */
export interface TaskOptions {
  readonly queue: string | undefined;
  readonly maxRetry: number | undefined;
  readonly timeout: Ms | undefined;
  readonly deadline: EpochMs | undefined;
  /** At most one of these two is given. */
  readonly processAt: EpochMs | undefined;
  readonly processIn: Ms | undefined;
  readonly unique: Ms | undefined;
  readonly taskId: string | undefined;
  readonly retention: Ms | undefined;
  readonly group: string | undefined;
  readonly headers: Headers | undefined;
}

/** Nothing given. */
export const noOptions: TaskOptions = {
  queue: undefined,
  maxRetry: undefined,
  timeout: undefined,
  deadline: undefined,
  processAt: undefined,
  processIn: undefined,
  unique: undefined,
  taskId: undefined,
  retention: undefined,
  group: undefined,
  headers: undefined,
};

/** The names a user may write. */
const taskOptionNames = Object.keys(noOptions) as readonly (keyof EnqueueOptions)[];

/** The options below, and the name of the place in errors: `enqueue: options`. */
export interface OptionLayer {
  readonly path: string;
  readonly under: TaskOptions;
}

/**
 * Checks a user's options and merges them over those of the layer below: each option replaces the one below,
 * `processAt` and `processIn` replace each other, headers are merged by key (C-08).
 *
 * @throws InvalidOptionError for the first option, in source order, that is invalid or does not exist.
 */
export function layTaskOptions(input: EnqueueOptions | undefined, { path, under }: OptionLayer): TaskOptions {
  if (input === undefined) return under;
  const given = checkObject({ path, value: input });
  const options: Draft = { ...under };
  for (const name of Object.keys(given)) {
    const value = given[name];
    if (value !== undefined) setOption(options, name, { path: pathOf(path, name), value });
  }
  if (given['processAt'] !== undefined && given['processIn'] !== undefined) {
    refuse({ path: pathOf(path, 'processIn'), value: given['processIn'] }, 'left out when processAt is given');
  }
  return options;
}

/** Merges checked options over others. */
export function overlayTaskOptions(under: TaskOptions, over: TaskOptions): TaskOptions {
  if (under === noOptions || over === noOptions) return over === noOptions ? under : over;
  const timed = over.processAt !== undefined || over.processIn !== undefined ? over : under;
  return {
    queue: over.queue ?? under.queue,
    maxRetry: over.maxRetry ?? under.maxRetry,
    timeout: over.timeout ?? under.timeout,
    deadline: over.deadline ?? under.deadline,
    processAt: timed.processAt,
    processIn: timed.processIn,
    unique: over.unique ?? under.unique,
    taskId: over.taskId ?? under.taskId,
    retention: over.retention ?? under.retention,
    group: over.group ?? under.group,
    headers: mergeHeaders(under.headers, over.headers),
  };
}

type Draft = { -readonly [K in keyof TaskOptions]: TaskOptions[K] };

function setOption(options: Draft, name: string, given: Given): void {
  switch (name as keyof EnqueueOptions) {
    case 'queue':
      options.queue = checkQueueName(given);
      return;
    case 'maxRetry':
      options.maxRetry = checkInteger(given, { min: 0, max: 2_147_483_647 });
      return;
    case 'timeout':
      options.timeout = checkBoundedDuration(given);
      return;
    case 'deadline':
      options.deadline = checkBoundedInstant(given);
      return;
    case 'processAt':
      options.processAt = checkBoundedInstant(given);
      options.processIn = undefined;
      return;
    case 'processIn':
      options.processIn = checkBoundedDuration(given);
      options.processAt = undefined;
      return;
    case 'unique':
      options.unique = checkUnique(given);
      return;
    case 'taskId':
      options.taskId = checkText(given);
      return;
    case 'retention':
      options.retention = checkBoundedDuration(given);
      return;
    case 'group':
      options.group = checkText(given);
      return;
    case 'headers':
      options.headers = mergeHeaders(options.headers, checkHeaders(given));
      return;
    default:
      throw unknownOption(given.path, taskOptionNames);
  }
}

// Go computes with 64 bits of nanoseconds, which end at 292 years.
const maxDuration = ms(100 * 365 * 86_400_000);

function checkBoundedDuration(given: Given): Ms {
  const duration = checkDuration(given);
  return duration <= maxDuration ? duration : refuse(given, 'a duration of at most 100 years');
}

// Go's tools cannot show later ones.
const endOfInstants = Date.UTC(10_000, 0);

function checkBoundedInstant(given: Given): EpochMs {
  const instant = checkInstant(given);
  return instant < endOfInstants ? instant : refuse(given, 'a Date before the year 10000');
}

function checkUnique(given: Given): Ms {
  const duration = checkBoundedDuration(given);
  return duration >= 1_000 ? duration : refuse(given, 'a duration of at least one second');
}

/** Returns a private copy that is safe for any key. */
function checkHeaders(given: Given): Headers {
  const object = checkObject(given);
  // A Map or the Headers of fetch would appear empty.
  if (Symbol.iterator in object) refuse(given, 'an object of strings');
  const headers = Object.create(null) as Record<string, string>;
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (typeof value !== 'string') return refuse({ path: pathOf(given.path, key), value }, 'a string');
    if (!isWellFormed(key) || !isWellFormed(value)) {
      return refuse({ path: pathOf(given.path, key), value }, 'valid Unicode text, key and value');
    }
    headers[key] = value;
  }
  return headers;
}

function mergeHeaders(under: Headers | undefined, over: Headers | undefined): Headers | undefined {
  if (under === undefined || over === undefined) return over ?? under;
  return Object.assign(Object.create(null) as Record<string, string>, under, over);
}
