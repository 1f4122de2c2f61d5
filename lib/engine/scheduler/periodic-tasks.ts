import { CronSpecError } from '../../model/errors/cron-errors.js';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import { checkDuration, checkFunction, checkNames, checkObject, refuse } from '../../model/options/check.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import type { Timer } from '../../model/time/clock.js';
import type { Duration, Ms } from '../../model/time/duration.js';
import { setDeadline } from '../lifecycle/deadline.js';
import { AsynqScheduler } from './asynq-scheduler.js';
import { createSchedule, type ScheduleOptions } from './schedule.js';

/** A task to enqueue on a schedule, as a {@link PeriodicTaskProvider} lists it. */
export interface PeriodicTask {
  readonly spec: string;
  /** The type of the task, or its definition. */
  readonly task: string | TaskDefinition;
  readonly payload?: unknown;
  readonly options?: ScheduleOptions | undefined;
}

/**
 * Lists the tasks to enqueue on schedules, for example from a database.
 *
 * @example
 * class Reports implements PeriodicTaskProvider {
 *   async getTasks(): Promise<readonly PeriodicTask[]> {
 *     const reports = await this.database.reports();
 *     return reports.map(({ id, spec }) => ({ spec, task: 'report:send', payload: { id } }));
 *   }
 * }
 */
export interface PeriodicTaskProvider {
  /** Returns all of them, every time. */
  getTasks(): Promise<readonly PeriodicTask[]> | readonly PeriodicTask[];
}

/** Options of {@link PeriodicTasks}. */
export interface PeriodicTasksOptions {
  readonly provider: PeriodicTaskProvider;
  /** Receives the schedules; whoever created it starts it and shuts it down. */
  readonly scheduler: AsynqScheduler;
  /** How often the provider is called. Default `'3m'`. */
  readonly syncInterval?: Duration | undefined;
}

/**
 * Keeps the schedules of a scheduler in sync with what a provider lists: adds new ones, removes missing ones, and
 * leaves unchanged ones alone. Schedules are compared by content: spec, type, payload and options, including those of
 * the definition (S-150).
 *
 * @example
 * const periodicTasks = new PeriodicTasks({ provider, scheduler });
 * await periodicTasks.start();
 * await scheduler.start();
 */
export class PeriodicTasks {
  readonly #provider: PeriodicTaskProvider;
  readonly #scheduler: AsynqScheduler;
  readonly #syncInterval: Ms;
  /** Ids of the registered schedules, by content. */
  readonly #registered = new Map<string, string>();
  #status: 'new' | 'active' | 'stopped' = 'new';
  #timer: Timer | undefined;

  /** @throws InvalidOptionError when the provider or the scheduler is missing, or the interval is invalid. */
  constructor(options: PeriodicTasksOptions) {
    checkNames({ path: 'PeriodicTasks:', value: options }, ['provider', 'scheduler', 'syncInterval']);
    const { provider, scheduler, syncInterval } = options;
    const parts = checkObject({ path: 'PeriodicTasks: provider', value: provider });
    checkFunction({ path: 'PeriodicTasks: provider.getTasks', value: parts['getTasks'] });
    if (!(scheduler instanceof AsynqScheduler)) {
      refuse({ path: 'PeriodicTasks: scheduler', value: scheduler }, 'an AsynqScheduler');
    }
    this.#provider = provider;
    this.#scheduler = scheduler;
    this.#syncInterval = resolveSyncInterval(syncInterval, 'PeriodicTasks: syncInterval');
  }

  /**
   * Registers what the provider lists, then calls it again at every interval.
   *
   * @throws whatever the provider throws, or InvalidOptionError or InvalidTaskError when one of its tasks is invalid;
   * nothing is registered then. InvalidStateError when it was started before.
   */
  async start(): Promise<void> {
    if (this.#status !== 'new') throw new InvalidStateError('The periodic tasks have already been started');
    this.#status = 'active';
    try {
      await this.#sync();
    } catch (error) {
      if (!this.#isStopped()) this.#status = 'new';
      throw error;
    }
    this.#arm();
  }

  /**
   * Stops calling the provider and removes the schedules from the scheduler. It does not wait for a call in progress,
   * whose result no longer counts. Idempotent.
   */
  stop(): Promise<void> {
    if (this.#status !== 'active') return Promise.resolve();
    this.#status = 'stopped';
    this.#timer?.cancel();
    for (const content of this.#registered.keys()) this.#remove(content);
    return Promise.resolve();
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#status !== 'active') return;
    this.#timer = this.#scheduler.options.clock.setTimer(this.#syncInterval, () => {
      this.#warnIfSlow();
      void this.#sync()
        .catch((error: unknown) => {
          if (!this.#isStopped()) this.#report('The periodic tasks are unchanged', error);
        })
        .finally(() => this.#arm());
    });
  }

  /** A provider is not called again before it has returned; until then the schedules are unchanged. */
  #warnIfSlow(): void {
    const { clock, logger } = this.#scheduler.options;
    this.#timer = setDeadline(clock, this.#syncInterval, () => {
      const seconds = Math.round(this.#syncInterval / 1_000);
      logger.warn(`getTasks() has not returned for ${seconds} s; the periodic tasks are unchanged until it does`);
    });
  }

  #isStopped(): boolean {
    return this.#status === 'stopped';
  }

  async #sync(): Promise<void> {
    const tasks: unknown = await this.#provider.getTasks();
    if (this.#status !== 'active') return;
    const wanted = this.#checked(tasks);
    for (const content of this.#registered.keys()) if (!wanted.has(content)) this.#remove(content);
    for (const [content, task] of wanted) if (!this.#registered.has(content)) this.#add(content, task);
  }

  /** Returns the tasks by content. A spec or zone that cannot be parsed is logged, and tried again at the next sync. */
  #checked(tasks: unknown): ReadonlyMap<string, PeriodicTask> {
    if (!Array.isArray(tasks)) return refuse({ path: 'PeriodicTasks: getTasks()', value: tasks }, 'an array');
    const wanted = new Map<string, PeriodicTask>();
    for (const [index, task] of (tasks as readonly PeriodicTask[]).entries()) {
      try {
        wanted.set(this.#contentOf(task, `PeriodicTasks: getTasks()[${index}]`), task);
      } catch (error) {
        if (!isAboutTicks(error)) throw error;
        this.#report('A periodic task is left out', error);
      }
    }
    return wanted;
  }

  #contentOf(task: PeriodicTask, path: string): string {
    checkNames({ path, value: task }, ['spec', 'task', 'payload', 'options']);
    const { spec, options = {} } = task;
    if (typeof spec !== 'string' || spec.trim() === '') refuse({ path: `${path}.spec`, value: spec }, 'a cron spec');
    if (task.task === undefined) refuse({ path: `${path}.task`, value: undefined }, 'a task type or definition');
    checkObject({ path: `${path}.options`, value: options });
    const { id: _id, ...unnamed } = options;
    const schedule = createSchedule(
      { spec, task: task.task, payload: task.payload, options: unnamed },
      this.#scheduler.options,
    );
    const { catchUp, overlap } = schedule;
    return JSON.stringify([schedule.id, options.id ?? '', catchUp, overlap]);
  }

  #add(content: string, { spec, task, payload, options }: PeriodicTask): void {
    try {
      this.#registered.set(content, this.#scheduler.register(spec, task, payload, options));
    } catch (error) {
      this.#report('A periodic task is left out', error);
    }
  }

  #remove(content: string): void {
    const id = this.#registered.get(content);
    this.#registered.delete(content);
    // Other code may have removed it from the scheduler.
    if (id !== undefined && this.#scheduler.has(id)) this.#scheduler.unregister(id);
  }

  #report(what: string, error: unknown): void {
    this.#scheduler.options.logger.error(`${what}: ${describeError(error)}`, { kind: what });
    this.#scheduler.events.emit('periodicTasksFailed', { error });
  }
}

/** How often a provider is asked. @throws InvalidOptionError when that is not a duration above zero. */
export function resolveSyncInterval(given: Duration | undefined, path: string): Ms {
  return checkDuration({ path, value: given ?? '3m' }, 'above-zero');
}

/** Whether a spec or a time zone is invalid, which concerns one schedule; any other error concerns the provider. */
function isAboutTicks(error: unknown): boolean {
  return error instanceof CronSpecError || (error instanceof InvalidOptionError && error.path.endsWith('.timeZone'));
}
