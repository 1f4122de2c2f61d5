import { availableParallelism } from 'node:os';
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkInteger,
  checkNames,
  checkObject,
  checkOneOf,
  type Given,
  pathOf,
  refuse,
} from '../../model/options/check.js';
import { defaultShutdownTimeout, defaultStrictPayload } from '../../model/options/shared-defaults.js';
import { checkQueueName, defaultQueue } from '../../model/queue/queue-name.js';
import { type Duration, durationForms, type Ms } from '../../model/time/duration.js';
import {
  type ConnectionOptions,
  connectionOptionNames,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
  withoutConnection,
} from '../connection-options.js';
import { defaultBlockingConnections } from '../open-broker.js';
import { GroupMux } from '../maintenance/group-mux.js';
import type { GroupAggregator } from '../maintenance/task-group.js';
import type { Middleware } from '../middleware.js';
import type { FailureLogLevel, FailureLogLevels, FailureLogs } from './failure-log.js';
import type { Task } from './handler-task.js';

/** Options of a server; each has a default (docs/protocol/server.md). */
export interface ServerOptions {
  /** How many handlers may run at once. Default: the number of CPUs. */
  readonly concurrency?: number | undefined;
  /** Queue names and weights; a weight is a positive whole number. Default `{ default: 1 }`. */
  readonly queues?: Readonly<Record<string, number>> | undefined;
  /** Whether to serve a queue only while all queues of higher weight are empty. Default false: weights are shares. */
  readonly strictPriority?: boolean | undefined;
  /** How often an empty queue without a waiting connection is polled. Default `'1s'`. */
  readonly taskCheckInterval?: Duration | undefined;
  /**
   * How long to wait before a retry, given the failures counted before this one.
   * Default {@link defaultRetryDelay}: n⁴ + 15 + random(0..29) × (n + 1) seconds.
   */
  readonly retryDelay?: RetryDelay | undefined;
  /** Whether an error counts as a failure; if not, the retry is not counted. Default: every error does. */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
  /** Called for every failed run before the outcome is written. Errors it throws are only logged. Default: none. */
  readonly errorHandler?: ErrorHandler | undefined;
  /** How long `shutdown` waits for handlers before it aborts them. Default `'8s'`. */
  readonly shutdownTimeout?: Duration | undefined;
  /** How often to look for due scheduled and retry tasks, in addition to the exact timers. Default `'5s'`. */
  readonly delayedTaskCheckInterval?: Duration | undefined;
  /** How often completed tasks past their retention are deleted. Default `'8s'`. */
  readonly janitorInterval?: Duration | undefined;
  /** How many completed tasks one call deletes. Default 100. */
  readonly janitorBatchSize?: number | undefined;
  /**
   * Called at every interval with the error if Redis does not answer, or with `undefined`. What it throws or rejects
   * with is logged. Default: nothing is checked.
   */
  readonly healthCheck?: ((error: Error | undefined) => unknown) | undefined;
  /** How often {@link healthCheck} is called. Default `'15s'`. */
  readonly healthCheckInterval?: Duration | undefined;
  /**
   * What to do with a task whose type has no handler in the {@link TaskMux}. `'return'`: it stays in its queue for
   * another worker, and nothing is counted. `'fail'`: it fails, as in Asynq. Default `'return'`.
   */
  readonly unknownTask?: 'return' | 'fail' | undefined;
  /** How long a handler may continue after its abort signal before it counts as stuck. Default `'5s'`. */
  readonly abortGrace?: Duration | undefined;
  /**
   * Whether a stuck handler keeps its slot until it ends (`'keep'`) or the slot is freed (`'release'`). Default
   * `'keep'`.
   */
  readonly stuckPolicy?: 'keep' | 'release' | undefined;
  /** The levels at which failed runs are logged. Default `{ first: 'warn', retry: 'warn', archived: 'error' }`. */
  readonly failureLogs?: FailureLogs | undefined;
  /** How long a group must be without new tasks to be aggregated; at least a second. Default `'1m'`. */
  readonly groupGracePeriod?: Duration | undefined;
  /** How long the oldest task of a group may wait before the group is aggregated. Default 0: no limit. */
  readonly groupMaxDelay?: Duration | undefined;
  /**
   * The number of tasks at which a group is aggregated; takes that many, oldest first, but 5,000 at most. Default 0: the
   * number does not matter.
   */
  readonly groupMaxSize?: number | undefined;
  /** How many groups are aggregated at once. Default 3. */
  readonly groupConcurrency?: number | undefined;
  /** How many queues are waited on with a connection each; the rest are woken by signals and polled. Default 4. */
  readonly blockingConnections?: number | undefined;
  /**
   * Whether to refuse results and tasks of aggregators in which JSON would silently lose something, as in
   * {@link ClientOptions.strictPayload}. A refused result of a handler is not stored, and that is logged. It has no
   * effect with another codec. Default true.
   */
  readonly strictPayload?: boolean | undefined;
  /** Wraps every handler; the first is the outermost. Default: none. */
  readonly middleware?: readonly Middleware[] | undefined;
  /** Whether `start` keeps trying while Redis is down, instead of failing. Default false. */
  readonly waitForRedis?: boolean | undefined;
}

/** Returns the delay before the next run, given the failures counted so far, the error and the task. */
export type RetryDelay = (retried: number, error: unknown, task: Task) => Duration;

/** Called for a failed run. A returned promise is awaited for a bounded time. */
export type ErrorHandler = (error: unknown, task: Task) => unknown;

/** Options of an {@link AsynqServer}; each has a default. */
export interface AsynqServerOptions extends ServerOptions, ConnectionOptions {
  /** Turns groups of tasks into one task each: one function for all groups, or one per pattern. Default: none. */
  readonly aggregator?: GroupAggregator | GroupMux | undefined;
}

/** {@link ServerOptions}, checked and complete: defaults applied, durations in milliseconds. */
export interface ResolvedServerOptions {
  readonly concurrency: number;
  readonly queues: Readonly<Record<string, number>>;
  readonly strictPriority: boolean;
  readonly taskCheckInterval: Ms;
  readonly retryDelay: RetryDelay | 'default';
  readonly isFailure: (error: unknown) => boolean;
  readonly errorHandler: ErrorHandler | undefined;
  readonly shutdownTimeout: Ms;
  readonly delayedTaskCheckInterval: Ms;
  readonly janitorInterval: Ms;
  readonly janitorBatchSize: number;
  readonly healthCheck: ((error: Error | undefined) => unknown) | undefined;
  readonly healthCheckInterval: Ms;
  readonly unknownTask: 'return' | 'fail';
  readonly abortGrace: Ms;
  readonly stuckPolicy: 'keep' | 'release';
  readonly failureLogs: FailureLogLevels;
  readonly groupGracePeriod: Ms;
  /** 0 means no limit. */
  readonly groupMaxDelay: Ms;
  /** 0 means no limit. */
  readonly groupMaxSize: number;
  readonly groupConcurrency: number;
  readonly blockingConnections: number;
  readonly strictPayload: boolean;
  readonly middleware: readonly Middleware[];
  readonly waitForRedis: boolean;
}

const optionNames: readonly (keyof ServerOptions)[] = [
  'concurrency',
  'queues',
  'strictPriority',
  'taskCheckInterval',
  'retryDelay',
  'isFailure',
  'errorHandler',
  'shutdownTimeout',
  'delayedTaskCheckInterval',
  'janitorInterval',
  'janitorBatchSize',
  'healthCheck',
  'healthCheckInterval',
  'unknownTask',
  'abortGrace',
  'stuckPolicy',
  'failureLogs',
  'groupGracePeriod',
  'groupMaxDelay',
  'groupMaxSize',
  'groupConcurrency',
  'blockingConnections',
  'strictPayload',
  'middleware',
  'waitForRedis',
];

const failureLogLevels = ['debug', 'info', 'warn', 'error', 'off'] as const;

// Go reads concurrency and weights as 32-bit integers.
const int32 = { min: 1, max: 2_147_483_647 };

/** {@link AsynqServerOptions}, checked and complete. */
export interface ResolvedServer {
  readonly options: ResolvedServerOptions;
  readonly connection: ResolvedConnectionOptions;
  readonly groups: GroupMux;
}

/**
 * Checks and completes the options of an {@link AsynqServer}. `owner` is the prefix of option names: `AsynqServer:`.
 *
 * @throws InvalidOptionError with the option's path, its value and what is allowed.
 */
export function resolveServer(input: AsynqServerOptions, owner = 'AsynqServer:'): ResolvedServer {
  checkNames({ path: owner, value: input }, [...optionNames, ...connectionOptionNames, 'aggregator']);
  const { aggregator, ...options } = withoutConnection(input);
  return {
    options: resolveServerOptions(options, owner),
    connection: resolveConnectionOptions(input, owner),
    groups: resolveAggregator(aggregator, owner),
  };
}

/**
 * Checks server options and fills in defaults. `owner` is the prefix of option names: `AsynqModule: server`.
 *
 * @throws InvalidOptionError with the option's path, its value and what is allowed.
 */
export function resolveServerOptions(input: ServerOptions, owner: string): ResolvedServerOptions {
  checkNames({ path: owner, value: input }, optionNames);
  const at = <N extends keyof ServerOptions>(name: N): Given<ServerOptions[N]> => ({
    path: pathOf(owner, name),
    value: input[name],
  });
  const interval = (name: keyof ServerOptions, fallback: Duration): Ms =>
    checkDuration({ path: pathOf(owner, name), value: input[name] ?? fallback }, 'above-zero');
  const length = (name: keyof ServerOptions, fallback: Duration): Ms =>
    checkDuration({ path: pathOf(owner, name), value: input[name] ?? fallback });
  const flag = (name: keyof ServerOptions): boolean => (input[name] === undefined ? false : checkBoolean(at(name)));
  return {
    concurrency: input.concurrency === undefined ? availableParallelism() : checkInteger(at('concurrency'), int32),
    queues: checkQueues(at('queues')),
    strictPriority: flag('strictPriority'),
    taskCheckInterval: interval('taskCheckInterval', '1s'),
    retryDelay:
      input.retryDelay === undefined ? 'default' : checkFunction({ ...at('retryDelay'), value: input.retryDelay }),
    isFailure:
      input.isFailure === undefined ? () => true : checkFunction({ ...at('isFailure'), value: input.isFailure }),
    errorHandler: checkFunctionIfGiven(at('errorHandler')),
    shutdownTimeout: length('shutdownTimeout', defaultShutdownTimeout),
    delayedTaskCheckInterval: interval('delayedTaskCheckInterval', '5s'),
    janitorInterval: interval('janitorInterval', '8s'),
    janitorBatchSize: checkInteger({ ...at('janitorBatchSize'), value: input.janitorBatchSize ?? 100 }, int32),
    healthCheck: checkFunctionIfGiven(at('healthCheck')),
    healthCheckInterval: interval('healthCheckInterval', '15s'),
    unknownTask: checkOneOf({ ...at('unknownTask'), value: input.unknownTask ?? 'return' }, ['return', 'fail']),
    abortGrace: length('abortGrace', '5s'),
    stuckPolicy: checkOneOf({ ...at('stuckPolicy'), value: input.stuckPolicy ?? 'keep' }, ['keep', 'release']),
    failureLogs: checkFailureLogs(at('failureLogs')),
    groupGracePeriod: checkGracePeriod({ ...at('groupGracePeriod'), value: input.groupGracePeriod ?? '1m' }),
    groupMaxDelay: length('groupMaxDelay', 0),
    groupMaxSize: checkInteger({ ...at('groupMaxSize'), value: input.groupMaxSize ?? 0 }, { ...int32, min: 0 }),
    groupConcurrency: checkInteger({ ...at('groupConcurrency'), value: input.groupConcurrency ?? 3 }, int32),
    blockingConnections: checkInteger(
      { ...at('blockingConnections'), value: input.blockingConnections ?? defaultBlockingConnections },
      { min: 0, max: 64 },
    ),
    strictPayload: checkBoolean({ ...at('strictPayload'), value: input.strictPayload ?? defaultStrictPayload }),
    middleware: checkMiddleware(at('middleware')),
    waitForRedis: flag('waitForRedis'),
  };
}

function checkQueues(given: Given<ServerOptions['queues']>): Readonly<Record<string, number>> {
  if (given.value === undefined) return { [defaultQueue]: 1 };
  const queues = Object.entries(checkObject(given));
  if (queues.length === 0) return refuse(given, 'an object with at least one queue');
  for (const [name, weight] of queues) {
    checkQueueName({ path: `${given.path}: the name of a queue`, value: name });
    checkInteger({ path: pathOf(given.path, name), value: weight }, int32);
  }
  // Without a prototype, so that a queue may have any name.
  return Object.freeze(Object.assign(Object.create(null) as Record<string, number>, given.value));
}

function checkFailureLogs(given: Given<ServerOptions['failureLogs']>): FailureLogLevels {
  const levels: FailureLogs = given.value === undefined ? {} : checkObject(given);
  checkNames({ path: given.path, value: levels }, ['first', 'retry', 'archived']);
  const level = (name: keyof FailureLogs, fallback: FailureLogLevel): FailureLogLevel =>
    checkOneOf({ path: pathOf(given.path, name), value: levels[name] ?? fallback }, failureLogLevels);
  return { first: level('first', 'warn'), retry: level('retry', 'warn'), archived: level('archived', 'error') };
}

// The protocol compares whole seconds.
function checkGracePeriod(given: Given): Ms {
  const gracePeriod = checkDuration(given);
  return gracePeriod < 1_000 ? refuse(given, `${durationForms}, at least 1s`) : gracePeriod;
}

function checkFunctionIfGiven<F>(given: Given<F>): F {
  return given.value === undefined ? given.value : checkFunction(given);
}

function checkMiddleware(given: Given<ServerOptions['middleware']>): readonly Middleware[] {
  const { path, value = [] } = given;
  if (!Array.isArray(value)) return refuse({ path, value }, 'a list of functions');
  return value.map((layer: Middleware, index) => checkFunction({ path: `${path}[${index}]`, value: layer }));
}

function resolveAggregator(aggregator: AsynqServerOptions['aggregator'], owner: string): GroupMux {
  if (aggregator instanceof GroupMux) return aggregator;
  if (aggregator === undefined) return new GroupMux();
  if (typeof aggregator === 'function') return new GroupMux().handle({}, aggregator);
  return refuse({ path: pathOf(owner, 'aggregator'), value: aggregator }, 'a function or a GroupMux');
}
