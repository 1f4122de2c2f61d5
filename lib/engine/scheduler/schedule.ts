import { createHash } from 'node:crypto';
import { type CronSpec, parseCronSpec } from '../../model/cron/cron-spec.js';
import type { PublishedSchedule } from '../../model/cron/published-schedule.js';
import { checkTimeZone } from '../../model/cron/zone-name.js';
import { InvalidTaskError } from '../../model/errors/task-errors.js';
import { checkNames, checkOneOf, checkText, pathOf, refuse } from '../../model/options/check.js';
import { defaultQueue } from '../../model/queue/queue-name.js';
import { encodeOptions } from '../../model/task/option-text.codec.js';
import { encodePayload } from '../../model/task/payload.codec.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import {
  type EnqueueOptions,
  layTaskOptions,
  noOptions,
  overlayTaskOptions,
  type TaskOptions,
} from '../../model/task/task-options.js';
import type { EpochMs } from '../../model/time/duration.js';
import { checkNoTaskId } from './schedule-checks.js';
import { type CatchUp, checkCatchUp, type ResolvedSchedulerOptions } from './scheduler-options.js';

/**
 * Options of a schedule and of its tasks. The tasks cannot share an id, and `unique` plus `processIn` may last at most
 * as long as the shortest time between two ticks; otherwise a task that fails for good would stop the schedule.
 */
export interface ScheduleOptions extends Omit<EnqueueOptions, 'taskId'> {
  /**
   * Identifies the schedule: the same id and queue mean the same schedule. Default: derived from spec, zone, type,
   * payload and options, so that every replica of a service has the same ids.
   */
  readonly id?: string | undefined;
  /** Zone of the spec, unless it names one itself. Default: the scheduler's. */
  readonly timeZone?: string | undefined;
  /** What to do with ticks that passed while no scheduler was running. Default: the scheduler's. */
  readonly catchUp?: CatchUp | undefined;
  /** `'skip'`: a tick enqueues nothing while an earlier task waits or runs. Default `'allow'`. */
  readonly overlap?: 'allow' | 'skip' | undefined;
}

/** What is registered: a spec and the task of each of its ticks. */
export interface ScheduleRegistration {
  readonly spec: string;
  readonly task: string | TaskDefinition;
  readonly payload: unknown;
  readonly options: ScheduleOptions;
}

/** One schedule of a scheduler. The tick clock sets its ticks, the sender its backlog. */
export interface Schedule {
  readonly id: string;
  readonly registration: ScheduleRegistration;
  /** The options with which each task is enqueued. */
  readonly enqueueOptions: EnqueueOptions;
  /** The same, merged over those of the definition and the scheduler. */
  readonly taskOptions: TaskOptions;
  readonly cron: CronSpec;
  readonly type: string;
  readonly queue: string;
  readonly payload: Uint8Array;
  readonly optionTexts: readonly string[];
  readonly catchUp: CatchUp;
  readonly overlap: 'allow' | 'skip';
  /** `undefined`: not started, or it never fires again. */
  next: EpochMs | undefined;
  /** The latest tick of the fleet that this process knows of. */
  previous: EpochMs | undefined;
  isRemoved: boolean;
}

/** A scheduler's defaults for all schedules. */
export type ScheduleDefaults = Pick<ResolvedSchedulerOptions, 'timeZone' | 'catchUp' | 'defaults' | 'codec'>;

const path = 'register: options';
const ownNames = ['id', 'timeZone', 'catchUp', 'overlap'] as const;

/**
 * Checks a registration and derives its id.
 *
 * @throws CronSpecError, InvalidTaskError, InvalidOptionError
 */
export function createSchedule(registration: ScheduleRegistration, defaults: ScheduleDefaults): Schedule {
  const { spec, task } = registration;
  const { own, enqueueOptions } = readOptions(registration.options);
  if (typeof spec !== 'string') refuse({ path: 'register: spec', value: spec }, 'a cron spec');
  const zone =
    own.timeZone === undefined
      ? defaults.timeZone
      : checkTimeZone({ path: pathOf(path, 'timeZone'), value: own.timeZone });
  const cron = parseCronSpec(spec, { timeZone: zone });
  const type = typeof task === 'string' ? task : task.type;
  const under = typeof task === 'string' ? noOptions : task.options;
  const laid = layTaskOptions(enqueueOptions, { path, under: overlayTaskOptions(defaults.defaults, under) });
  checkNoTaskId(laid, registration);
  const payload = payloadBytes(registration, defaults);
  const { id, catchUp, overlap = 'allow' } = own;
  return {
    id:
      id === undefined
        ? contentId({ registration, cron, type, payload, laid })
        : checkText({ path: pathOf(path, 'id'), value: id }),
    registration,
    enqueueOptions,
    taskOptions: laid,
    cron,
    type,
    queue: laid.queue ?? defaultQueue,
    payload,
    optionTexts: encodeOptions(laid),
    catchUp: catchUp === undefined ? defaults.catchUp : checkCatchUp(catchUp, pathOf(path, 'catchUp')),
    overlap: checkOneOf({ path: pathOf(path, 'overlap'), value: overlap }, ['allow', 'skip']),
    next: undefined,
    previous: undefined,
    isRemoved: false,
  };
}

/** Returns the schedule as it is published for tools (P-108). */
export function publishedSchedule(schedule: Schedule): PublishedSchedule {
  return {
    id: schedule.id,
    spec: schedule.cron.spec,
    taskType: schedule.type,
    taskPayload: schedule.payload,
    options: schedule.optionTexts,
    nextEnqueueAt: schedule.next,
    previousEnqueueAt: schedule.previous,
  };
}

/** Splits options into those of the schedule itself, `undefined` if not given, and those of its tasks. */
function readOptions(options: ScheduleOptions): {
  readonly own: { readonly [K in (typeof ownNames)[number]]: ScheduleOptions[K] | undefined };
  readonly enqueueOptions: EnqueueOptions;
} {
  checkNames({ path, value: options }, [...ownNames, ...Object.keys(noOptions)]);
  const { id, timeZone, catchUp, overlap, ...enqueueOptions } = options;
  return { own: { id, timeZone, catchUp, overlap }, enqueueOptions };
}

function payloadBytes({ task, payload }: ScheduleRegistration, { codec }: ScheduleDefaults): Uint8Array {
  try {
    return encodePayload(payload, codec);
  } catch (error) {
    if (!(error instanceof InvalidTaskError)) throw error;
    const type = typeof task === 'string' ? task : task.type;
    throw new InvalidTaskError(`Task "${type}" cannot be scheduled: ${error.message}`, { cause: error.cause ?? error });
  }
}

interface Content {
  readonly registration: ScheduleRegistration;
  readonly cron: CronSpec;
  readonly type: string;
  readonly payload: Uint8Array;
  readonly laid: TaskOptions;
}

/** Returns an id in UUID format that is the same wherever the same content is registered. */
function contentId({ registration, cron, type, payload, laid }: Content): string {
  const zone = cron.kind === 'every' ? '' : cron.timeZone;
  const bytes = registration.payload === undefined ? null : Buffer.from(payload).toString('base64');
  // As JSON, so that different contents stay distinct; instants in option text have no milliseconds.
  const options = [...encodeOptions(laid).sort(), laid.deadline ?? 0, laid.processAt ?? 0];
  const content = JSON.stringify([cron.spec, zone, type, bytes, options]);
  const digest = createHash('sha256').update(content).digest('hex');
  return [8, 12, 16, 20, 32].map((end, at, ends) => digest.slice(ends[at - 1] ?? 0, end)).join('-');
}
