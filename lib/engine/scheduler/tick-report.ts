import { ticksFor } from '../../model/broker/lifetimes.js';
import type { EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import type { ScheduleContract } from '../../model/broker/schedule.contract.js';
import { DuplicateTaskError } from '../../model/errors/task-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { TaskInfo } from '../../model/task/task-info.js';
import type { Clock } from '../../model/time/clock.js';
import { type EpochMs } from '../../model/time/duration.js';
import { taskInfoOf } from '../client/new-task.js';
import type { EngineEventEmitter, ScheduleSubject } from '../engine-events.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { callUser } from '../../model/options/user-callback.js';
import type { Schedule } from './schedule.js';
import type { ResolvedSchedulerOptions, ScheduledTask } from './scheduler-options.js';
import type { Tick } from './tick-backlog.js';

export interface TickReportDeps {
  readonly schedules: Pick<ScheduleContract, 'recordEvent'>;
  readonly options: Pick<ResolvedSchedulerOptions, 'preEnqueue' | 'postEnqueue' | 'codec'>;
  readonly events: EngineEventEmitter;
  readonly clock: Clock;
  readonly logger: ThrottledLogger;
}

type Enqueued = { readonly request: EnqueueRequest; readonly now: EpochMs };

/** Reports what happens to ticks: to the hooks, as events, and in the history that tools show. */
export class TickReport {
  constructor(private readonly deps: TickReportDeps) {}

  /** Reports that a task is about to be prepared. */
  begins(tick: Pick<Tick, 'schedule'> & { readonly instant?: EpochMs }): void {
    const { options } = this.deps;
    this.#call('preEnqueue', () => options.preEnqueue(scheduledTask(tick.schedule, tick.instant)));
  }

  /** Reports that the task of a tick is stored; resolves when it is in the history, too. */
  async enqueued({ schedule, instant }: Tick, enqueued: Enqueued): Promise<void> {
    const { events } = this.deps;
    const task = scheduledTask(schedule, instant);
    const info = taskInfoOf(enqueued.request, { now: enqueued.now, codec: this.deps.options.codec });
    events.emit('scheduleEnqueued', { schedule: scheduleSubjectOf(schedule), tick: instant, taskId: info.id });
    await this.#stored(schedule, { task, info, now: enqueued.now });
  }

  /** Reports that the task of a schedule that was run by hand is stored. */
  async ranNow(schedule: Schedule, { request, now }: Enqueued): Promise<TaskInfo> {
    const info = taskInfoOf(request, { now, codec: this.deps.options.codec });
    await this.#stored(schedule, { task: scheduledTask(schedule, undefined), info, now });
    return info;
  }

  /** Reports that another process has used the tick, or that an earlier task has not ended. */
  skipped({ schedule, instant }: Tick, reason: 'taken' | 'overlaps'): void {
    this.deps.events.emit('scheduleSkipped', { schedule: scheduleSubjectOf(schedule), tick: instant, reason });
  }

  /** Reports that the task of a tick could not be enqueued, and whether it is tried again. */
  failed(
    { schedule, instant }: Tick,
    { error, outcome }: { readonly error: unknown; readonly outcome: 'retry' | 'drop' },
  ): void {
    const { events, options, logger } = this.deps;
    events.emit('scheduleFailed', { schedule: scheduleSubjectOf(schedule), tick: instant, error, outcome });
    if (outcome === 'retry') return;
    const what = `A tick of schedule ${schedule.id} (${schedule.type}) enqueued nothing: ${describeError(error)}`;
    // A unique lock that refuses a duplicate does what was asked.
    if (error instanceof DuplicateTaskError) logger.debug(what);
    else logger.warn(what, { kind: `tick enqueued nothing ${schedule.id}` });
    this.#call('postEnqueue', () => options.postEnqueue({ task: scheduledTask(schedule, instant), error }));
  }

  /** Reports ticks that were skipped because no scheduler was running. */
  missed(schedule: Schedule, span: { readonly after: EpochMs; readonly until: EpochMs }): void {
    const { events, logger } = this.deps;
    logger.warn(
      `Schedule ${schedule.id} (${schedule.type}) missed ticks after ${text(span.after)} and before ${text(span.until)}`,
      { kind: `ticks missed ${schedule.id}` },
    );
    events.emit('scheduleMissed', { schedule: scheduleSubjectOf(schedule), ...span });
  }

  async #stored(
    schedule: Schedule,
    { task, info, now }: { readonly task: ScheduledTask; readonly info: TaskInfo; readonly now: EpochMs },
  ): Promise<void> {
    const { schedules, options, logger } = this.deps;
    logger.debug(`Schedule ${schedule.id} enqueued task ${info.id} of type ${schedule.type}`);
    this.#call('postEnqueue', () => options.postEnqueue({ task, info }));
    try {
      await schedules.recordEvent({
        scheduleId: schedule.id,
        event: { taskId: info.id, enqueuedAt: now },
        ttl: ticksFor,
      });
    } catch (error) {
      logger.warn(
        `Task ${info.id} could not be written to the history of schedule ${schedule.id}: ${describeError(error)}`,
        {
          kind: 'history not written',
        },
      );
    }
  }

  /** Calls a hook; what it throws or rejects with is only logged. */
  #call(name: string, hook: () => unknown): void {
    const report = (error: unknown): void =>
      this.deps.logger.error(`${name} failed: ${describeError(error)}`, { kind: `${name} failed` });
    callUser(hook, report);
  }
}

/** Returns the schedule as events show it. */
function scheduleSubjectOf({ id, cron, type, queue }: Schedule): ScheduleSubject {
  return { id, spec: cron.spec, type, queue };
}

function scheduledTask(schedule: Schedule, instant: EpochMs | undefined): ScheduledTask {
  const { id, cron, type, queue, registration } = schedule;
  const tick = instant === undefined ? undefined : new Date(instant);
  return { scheduleId: id, spec: cron.spec, type, queue, payload: registration.payload, tick };
}

function text(instant: EpochMs): string {
  return new Date(instant).toISOString();
}
