import { checkTimeZone } from '../../model/cron/zone-name.js';
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkNames,
  checkOneOf,
  pathOf,
} from '../../model/options/check.js';
import { encodingCodec } from '../../model/task/payload.codec.js';
import type { TaskInfo } from '../../model/task/task-info.js';
import { type EnqueueOptions, layTaskOptions, noOptions, type TaskOptions } from '../../model/task/task-options.js';
import type { Duration, Ms } from '../../model/time/duration.js';
import {
  type ConnectionOptions,
  connectionOptionNames,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
} from '../connection-options.js';

/**
 * What becomes of the ticks of a time in which no scheduler ran: `skip` leaves them out, `latest` makes up for the last
 * one, `all` for each of them, oldest first, at most the 1,000 newest.
 */
export type CatchUp = 'skip' | 'latest' | 'all';

/** How an {@link AsynqScheduler} works; every option has a default (docs/protocol/scheduler.md). */
export interface SchedulerOptions extends ConnectionOptions {
  /** Zone of specs that name none, an IANA name. Default `'UTC'`. */
  readonly timeZone?: string | undefined;
  /** Default `'skip'`. A schedule's own wins. */
  readonly catchUp?: CatchUp | undefined;
  /** How often the schedules are published for tools to show; they vanish after twice as long. Default `'10s'`. */
  readonly heartbeatInterval?: Duration | undefined;
  /** How long `shutdown` waits for enqueues that are under way. Default `'8s'`. */
  readonly shutdownTimeout?: Duration | undefined;
  /**
   * Whether payloads are refused of which JSON would lose something without an error: functions, symbols, NaN, Infinity,
   * Map, Set, RegExp, Error, bytes inside objects. Of no effect with another codec. Default true.
   */
  readonly strictPayload?: boolean | undefined;
  /** Options of every task; those of a definition win over them, and those of a schedule over both. Default: none. */
  readonly defaults?: EnqueueOptions | undefined;
  /** Told before a tick's task is prepared, in every process that tries to enqueue it. It cannot stop it. Default: none. */
  readonly preEnqueue?: ((task: ScheduledTask) => unknown) | undefined;
  /** Told once for each tick, by the process that enqueued its task, or could not; never by those who came too late. Default: none. */
  readonly postEnqueue?: ((outcome: ScheduledTaskOutcome) => unknown) | undefined;
}

/** What the hooks of a scheduler are told about a task. */
export interface ScheduledTask {
  readonly scheduleId: string;
  readonly spec: string;
  readonly type: string;
  readonly queue: string;
  /** As it was registered. */
  readonly payload: unknown;
  /** The instant that the schedule names; `undefined` when the schedule is run by hand. */
  readonly tick: Date | undefined;
}

/** What became of it: exactly one of `info` and `error` is there. */
export type ScheduledTaskOutcome =
  | { readonly task: ScheduledTask; readonly info: TaskInfo; readonly error?: undefined }
  | { readonly task: ScheduledTask; readonly error: unknown; readonly info?: undefined };

/** The same, complete. */
export interface ResolvedSchedulerOptions extends ResolvedConnectionOptions {
  readonly timeZone: string;
  readonly catchUp: CatchUp;
  readonly heartbeatInterval: Ms;
  readonly shutdownTimeout: Ms;
  readonly defaults: TaskOptions;
  readonly preEnqueue: (task: ScheduledTask) => unknown;
  readonly postEnqueue: (outcome: ScheduledTaskOutcome) => unknown;
}

const names: readonly (keyof SchedulerOptions)[] = [
  ...connectionOptionNames,
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
 * Completes and checks a scheduler's options. `owner` begins every path: `AsynqModule: scheduler`.
 *
 * @throws InvalidOptionError with the option's path, what was given and what is allowed.
 */
export function resolveSchedulerOptions(
  options: SchedulerOptions,
  owner = 'AsynqScheduler:',
): ResolvedSchedulerOptions {
  checkNames({ path: owner, value: options }, names);
  const path = (name: keyof SchedulerOptions): string => pathOf(owner, name);
  const { preEnqueue, postEnqueue } = options;
  const {
    timeZone = 'UTC',
    catchUp = 'skip',
    heartbeatInterval = '10s',
    shutdownTimeout = '8s',
    strictPayload = true,
  } = options;
  const connection = resolveConnectionOptions(options, owner);
  return {
    ...connection,
    codec: encodingCodec(connection.codec, {
      strictPayload: checkBoolean({ path: path('strictPayload'), value: strictPayload }),
      encoded: 'payload',
    }),
    timeZone: checkTimeZone({ path: path('timeZone'), value: timeZone }),
    catchUp: checkCatchUp(catchUp, path('catchUp')),
    heartbeatInterval: checkDuration({ path: path('heartbeatInterval'), value: heartbeatInterval }, 'above-zero'),
    shutdownTimeout: checkDuration({ path: path('shutdownTimeout'), value: shutdownTimeout }),
    defaults: layTaskOptions(options.defaults, { path: path('defaults'), under: noOptions }),
    preEnqueue: preEnqueue === undefined ? noHook : checkFunction({ path: path('preEnqueue'), value: preEnqueue }),
    postEnqueue: postEnqueue === undefined ? noHook : checkFunction({ path: path('postEnqueue'), value: postEnqueue }),
  };
}

/** @throws InvalidOptionError */
export function checkCatchUp(value: unknown, path: string): CatchUp {
  return checkOneOf({ path, value }, ['skip', 'latest', 'all']);
}

function noHook(): void {}
