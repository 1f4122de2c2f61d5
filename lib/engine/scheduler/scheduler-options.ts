import { checkTimeZone } from '../../model/cron/zone-name.js';
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkNames,
  checkOneOf,
  pathOf,
} from '../../model/options/check.js';
import { defaultShutdownTimeout, defaultStrictPayload } from '../../model/options/shared-defaults.js';
import { encodingCodec } from '../../model/task/payload.codec.js';
import type { TaskInfo } from '../../model/task/task-info.js';
import { type EnqueueOptions, layTaskOptions, noOptions, type TaskOptions } from '../../model/task/task-options.js';
import type { Duration, Ms } from '../../model/time/duration.js';
import {
  type ConnectionOptions,
  connectionOptionNames,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
  withoutConnection,
} from '../connection-options.js';

/**
 * What to do with ticks that passed while no scheduler was running: `skip` drops them, `latest` enqueues the last one,
 * `all` enqueues each of them, oldest first, at most the newest 1,000.
 */
export type CatchUp = 'skip' | 'latest' | 'all';

/** Options of an {@link AsynqScheduler}; each has a default (docs/protocol/scheduler.md). */
export interface SchedulerOptions extends ConnectionOptions {
  /** Zone of specs that do not name one, an IANA name. Default `'UTC'`. */
  readonly timeZone?: string | undefined;
  /** What to do with missed ticks. Default `'skip'`. A schedule's own option wins. */
  readonly catchUp?: CatchUp | undefined;
  /** How often the schedules are published for tools to show; they expire after twice as long. Default `'10s'`. */
  readonly heartbeatInterval?: Duration | undefined;
  /** How long `shutdown` waits for enqueues in progress. Default `'8s'`. */
  readonly shutdownTimeout?: Duration | undefined;
  /**
   * Whether to refuse payloads in which JSON would silently lose something: functions, symbols, NaN, Infinity, Map,
   * Set, RegExp, Error, bytes inside objects. It has no effect with another codec. Default true.
   */
  readonly strictPayload?: boolean | undefined;
  /**
   * Options of every task; those of a definition override them, and those of a schedule override both. Default: none.
   */
  readonly defaults?: EnqueueOptions | undefined;
  /**
   * Called before a tick's task is prepared, in every process that tries to enqueue it. It cannot prevent it. Default:
   * none.
   */
  readonly preEnqueue?: ((task: ScheduledTask) => unknown) | undefined;
  /**
   * Called once per tick, in the process that enqueued its task or failed to; never in those that came too late.
   * Default: none.
   */
  readonly postEnqueue?: ((outcome: ScheduledTaskOutcome) => unknown) | undefined;
}

/** What the hooks of a scheduler receive about a task. */
export interface ScheduledTask {
  readonly scheduleId: string;
  readonly spec: string;
  readonly type: string;
  readonly queue: string;
  /** The payload as it was registered. */
  readonly payload: unknown;
  /** The instant of the tick; `undefined` when the schedule is run by hand. */
  readonly tick: Date | undefined;
}

/** The outcome for the task: exactly one of `info` and `error` is present. */
export type ScheduledTaskOutcome =
  | { readonly task: ScheduledTask; readonly info: TaskInfo; readonly error?: undefined }
  | { readonly task: ScheduledTask; readonly error: unknown; readonly info?: undefined };

/** Scheduler options without the connection options. */
export type SchedulerSettings = Omit<SchedulerOptions, keyof ConnectionOptions>;

/** {@link SchedulerSettings}, checked and complete. */
export interface ResolvedSchedulerSettings {
  readonly timeZone: string;
  readonly catchUp: CatchUp;
  readonly heartbeatInterval: Ms;
  readonly shutdownTimeout: Ms;
  readonly strictPayload: boolean;
  readonly defaults: TaskOptions;
  readonly preEnqueue: (task: ScheduledTask) => unknown;
  readonly postEnqueue: (outcome: ScheduledTaskOutcome) => unknown;
}

/** {@link SchedulerOptions}, checked and complete. */
export interface ResolvedSchedulerOptions extends ResolvedConnectionOptions, ResolvedSchedulerSettings {}

const settingNames: readonly (keyof SchedulerSettings)[] = [
  'timeZone',
  'catchUp',
  'heartbeatInterval',
  'shutdownTimeout',
  'strictPayload',
  'defaults',
  'preEnqueue',
  'postEnqueue',
];

/**
 * Completes and checks a scheduler's options. `owner` is the prefix of option names: `AsynqModule: scheduler`.
 *
 * @throws InvalidOptionError with the option's path, its value and what is allowed.
 */
export function resolveSchedulerOptions(
  options: SchedulerOptions,
  owner = 'AsynqScheduler:',
): ResolvedSchedulerOptions {
  checkNames({ path: owner, value: options }, [...connectionOptionNames, ...settingNames]);
  return joinSchedulerOptions(
    resolveSchedulerSettings(withoutConnection(options), owner),
    resolveConnectionOptions(options, owner),
  );
}

/**
 * Completes and checks scheduler settings. `owner` is the prefix of option names: `AsynqModule: scheduler`.
 *
 * @throws InvalidOptionError with the option's path, its value and what is allowed.
 */
export function resolveSchedulerSettings(settings: SchedulerSettings, owner: string): ResolvedSchedulerSettings {
  checkNames({ path: owner, value: settings }, settingNames);
  const path = (name: keyof SchedulerSettings): string => pathOf(owner, name);
  const { preEnqueue, postEnqueue } = settings;
  const {
    timeZone = 'UTC',
    catchUp = 'skip',
    heartbeatInterval = '10s',
    shutdownTimeout = defaultShutdownTimeout,
    strictPayload = defaultStrictPayload,
  } = settings;
  return {
    timeZone: checkTimeZone({ path: path('timeZone'), value: timeZone }),
    catchUp: checkCatchUp(catchUp, path('catchUp')),
    heartbeatInterval: checkDuration({ path: path('heartbeatInterval'), value: heartbeatInterval }, 'above-zero'),
    shutdownTimeout: checkDuration({ path: path('shutdownTimeout'), value: shutdownTimeout }),
    strictPayload: checkBoolean({ path: path('strictPayload'), value: strictPayload }),
    defaults: layTaskOptions(settings.defaults, { path: path('defaults'), under: noOptions }),
    preEnqueue: preEnqueue === undefined ? noHook : checkFunction({ path: path('preEnqueue'), value: preEnqueue }),
    postEnqueue: postEnqueue === undefined ? noHook : checkFunction({ path: path('postEnqueue'), value: postEnqueue }),
  };
}

/** Joins scheduler settings and connection options. */
export function joinSchedulerOptions(
  settings: ResolvedSchedulerSettings,
  connection: ResolvedConnectionOptions,
): ResolvedSchedulerOptions {
  return {
    ...connection,
    ...settings,
    codec: encodingCodec(connection.codec, { strictPayload: settings.strictPayload, encoded: 'payload' }),
  };
}

/** @throws InvalidOptionError */
export function checkCatchUp(value: unknown, path: string): CatchUp {
  return checkOneOf({ path, value }, ['skip', 'latest', 'all']);
}

function noHook(): void {}
