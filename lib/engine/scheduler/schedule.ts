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
 * How a schedule's tasks are enqueued, and the schedule itself. The tasks cannot share an id, and `unique` may last, with
 * `processIn`, as long as the shortest time between two ticks: else a task that fails for good would end the schedule.
 */
export interface ScheduleOptions extends Omit<EnqueueOptions, 'taskId'> {
  /**
   * Names the schedule: whoever uses the same id beside the same queue means the same schedule. Default: derived from spec,
   * zone, type, payload and options, so that every replica of a service has the same ids.
   */
  readonly id?: string | undefined;
  /** Zone of the spec, unless it names one itself. Default: the scheduler's. */
  readonly timeZone?: string | undefined;
  /** Ticks of a time in which no scheduler ran. Default: the scheduler's. */
  readonly catchUp?: CatchUp | undefined;
  /** `'skip'`: a tick enqueues nothing while the task of an earlier one waits or runs. Default `'allow'`. */
  readonly overlap?: 'allow' | 'skip' | undefined;
}

/** What is registered: a spec and the task of each of its ticks. */
export interface ScheduleRegistration {
  readonly spec: string;
  readonly task: string | TaskDefinition;
  readonly payload: unknown;
  readonly options: ScheduleOptions;
}

/** One schedule of a scheduler. Its ticks are set by the clock of ticks, its backlog by the sender. */
export interface Schedule {
  readonly id: string;
  readonly registration: ScheduleRegistration;
  /** What each task is enqueued with. */
  readonly enqueueOptions: EnqueueOptions;
  /** The same, laid over those of the definition and of the scheduler. */
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

/** Who makes schedules: what a scheduler says of all of them. */
export type ScheduleDefaults = Pick<ResolvedSchedulerOptions, 'timeZone' | 'catchUp' | 'defaults' | 'codec'>;

const path = 'register: options';
const ownNames = ['id', 'timeZone', 'catchUp', 'overlap'] as const;

/**
 * Checks a registration and names it.
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

/** The schedule as tools are shown it (P-108). */
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

/** The options of the schedule itself, `undefined` where not given, and those of its tasks. */
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

/** An id that is the same wherever the same content is registered, in the form of a UUID. */
function contentId({ registration, cron, type, payload, laid }: Content): string {
  const zone = cron.kind === 'every' ? '' : cron.timeZone;
  const bytes = registration.payload === undefined ? null : Buffer.from(payload).toString('base64');
  // As JSON, so that no two contents run together; the texts of instants leave out milliseconds.
  const options = [...encodeOptions(laid).sort(), laid.deadline ?? 0, laid.processAt ?? 0];
  const content = JSON.stringify([cron.spec, zone, type, bytes, options]);
  const digest = createHash('sha256').update(content).digest('hex');
  return [8, 12, 16, 20, 32].map((end, at, ends) => digest.slice(ends[at - 1] ?? 0, end)).join('-');
}
