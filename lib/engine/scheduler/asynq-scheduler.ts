import { refusalError } from '../../model/broker/enqueue-refusal.js';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Broker } from '../../model/broker/broker.js';
import { nextTick } from '../../model/cron/cron-next.js';
import { AsynqError } from '../../model/errors/asynq-error.js';
import { forCaller, showCaller } from '../../model/errors/caller-stack.js';
import { ScheduleConflictError, ScheduleNotFoundError } from '../../model/errors/schedule-errors.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import { Resolved } from '../../model/options/resolved.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { TaskArguments, TaskDefinition } from '../../model/task/task-definition.js';
import type { TaskInfo } from '../../model/task/task-info.js';
import { brokerOf } from '../connection-options.js';
import { EngineEventEmitter } from '../engine-events.js';
import { reportStorage } from '../storage-reporter.js';
import { TaskRequests } from '../client/task-requests.js';
import { checkUniqueLock } from './schedule-checks.js';
import { createSchedule, type Schedule, type ScheduleOptions } from './schedule.js';
import { type ResolvedSchedulerOptions, resolveSchedulerOptions, type SchedulerOptions } from './scheduler-options.js';
import { SchedulerServices } from './scheduler-services.js';

/** The arguments after the task; the payload may be omitted only if `undefined` is a valid one. */
export type ScheduleArguments<Task> = TaskArguments<Task, ScheduleOptions>;

/** A registered schedule as {@link AsynqScheduler.schedules} shows it: a snapshot. */
export interface ScheduleInfo {
  readonly id: string;
  readonly spec: string;
  /** Time zone of the spec; `undefined` for `@every`. */
  readonly timeZone: string | undefined;
  readonly type: string;
  readonly queue: string;
  readonly catchUp: 'skip' | 'latest' | 'all';
  readonly overlap: 'allow' | 'skip';
  /** `undefined`: the scheduler does not run, or the schedule never fires again. */
  readonly next: Date | undefined;
  /** The latest tick of the fleet that this process knows of. */
  readonly previous: Date | undefined;
}

/**
 * Enqueues tasks on schedules: once per tick for the whole fleet, however many processes run the same schedules
 * (docs/protocol/scheduler.md).
 *
 * @example
 * const scheduler = new AsynqScheduler({ redis: 'redis://localhost:6379', timeZone: 'Europe/Berlin' });
 * scheduler.register('0 2 * * *', 'backup', { full: true }, { queue: 'low', overlap: 'skip' });
 * await scheduler.start();
 */
export class AsynqScheduler {
  /** A random UUID, new for every scheduler. */
  readonly id = randomUUID();
  /** Announces what happens to ticks. */
  readonly events: EngineEventEmitter;
  /** The options in force. */
  readonly options: ResolvedSchedulerOptions;
  readonly #requests: TaskRequests;
  readonly #schedules = new Map<string, Schedule>();
  #status: 'new' | 'active' | 'closed' = 'new';
  #broker: Broker | undefined;
  #services: SchedulerServices | undefined;
  /** Never rejects. */
  #starting: Promise<unknown> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Checks the options; does nothing else.
   *
   * @throws InvalidOptionError naming the option, its value and what is allowed.
   */
  constructor(options?: SchedulerOptions);
  /** @internal */
  constructor(options: Resolved<ResolvedSchedulerOptions>);
  constructor(options: SchedulerOptions | Resolved<ResolvedSchedulerOptions> = {}) {
    this.options = options instanceof Resolved ? options.options : resolveSchedulerOptions(options);
    this.#requests = new TaskRequests(this.options);
    this.events = new EngineEventEmitter((event, error) =>
      this.options.logger.error(`A listener of "${event}" failed: ${describeError(error)}`, {
        kind: `listener failed ${event}`,
      }),
    );
  }

  /** The state of the scheduler. */
  get status(): 'new' | 'active' | 'closed' {
    return this.#status;
  }

  /**
   * Adds a schedule, before the start or while running; its first tick is the first one after now. The task is given as
   * in `enqueue`, and is prepared again at each tick.
   *
   * @returns the schedule's id: the given one, or one derived from the content, the same in every process.
   * @throws CronSpecError when the spec cannot be parsed.
   * @throws InvalidTaskError, InvalidOptionError when the task cannot be enqueued as given, or not at every tick: with
   * a `taskId`, which all tasks would share, or with `unique` for longer than the shortest time between two ticks.
   * @throws ScheduleConflictError when a schedule with this id or, without an id, with the same content exists.
   * @throws InvalidStateError after {@link shutdown}.
   * @example
   * scheduler.register('CRON_TZ=Asia/Ho_Chi_Minh 0 2 * * *', Backup, { full: true }, { catchUp: 'latest' });
   */
  register<Task extends string | TaskDefinition>(spec: string, task: Task, ...args: ScheduleArguments<Task>): string;
  register(spec: string, task: string | TaskDefinition, payload?: unknown, options: ScheduleOptions = {}): string {
    if (this.#status === 'closed') throw new InvalidStateError('The scheduler is closed and accepts no more schedules');
    // An invalid task is reported now, not at two in the morning.
    const schedule = createSchedule({ spec, task, payload, options }, this.options);
    const trial = this.#requests.of(task, payload, schedule.enqueueOptions);
    if (trial instanceof Promise) trial.catch((error: unknown) => this.#refusedLater(schedule, error));
    checkUniqueLock(schedule);
    if (this.#schedules.has(schedule.id)) throw new ScheduleConflictError(schedule.id, spec);
    const { clock, logger } = this.options;
    if (nextTick(schedule.cron, clock.now()) === undefined) {
      logger.warn(
        `Schedule ${schedule.id} never ticks: no date of the next five years matches ${JSON.stringify(spec)}`,
      );
    }
    this.#schedules.set(schedule.id, schedule);
    this.#services?.add([schedule]);
    return schedule.id;
  }

  /**
   * Removes a schedule; it enqueues nothing from now on. Its history is kept for a while.
   *
   * @throws ScheduleNotFoundError
   */
  unregister(id: string): void {
    const schedule = this.#find(id);
    this.#schedules.delete(id);
    schedule.isRemoved = true;
    this.#services?.remove(schedule);
  }

  /** Whether a schedule with this id is registered. */
  has(id: string): boolean {
    return this.#schedules.has(id);
  }

  /** Returns the schedules, in the order of registration. */
  schedules(): readonly ScheduleInfo[] {
    return Array.from(this.#schedules.values(), scheduleInfoOf);
  }

  /**
   * Enqueues a schedule's task now, in addition to its ticks: hooks are called and the history is written, but no tick
   * is used up.
   *
   * @throws ScheduleNotFoundError, InvalidStateError after {@link shutdown}, and whatever `AsynqClient.enqueue` throws.
   */
  async runNow(id: string): Promise<TaskInfo> {
    const schedule = this.#find(id);
    if (this.#status === 'closed') throw new InvalidStateError('The scheduler is closed');
    const { clock } = this.options;
    const broker = this.#openedBroker();
    const services = (this.#services ??= this.#createServices(broker));
    services.report.begins({ schedule });
    const { task, payload } = schedule.registration;
    const request = await this.#requests.of(task, payload, schedule.enqueueOptions);
    await showCaller(broker.open());
    const now = clock.now();
    const [outcome] = await broker.enqueue.enqueue([request], now);
    if (outcome instanceof AsynqError) throw forCaller(outcome);
    if (outcome === 'duplicate' || outcome === 'id-conflict') throw refusalError(outcome, request.message);
    return await services.report.ranNow(schedule, { request, now });
  }

  /**
   * Starts enqueueing at the ticks. It does not wait for Redis: while Redis is unreachable, ticks are kept, and they
   * are enqueued when it is back.
   *
   * @throws InvalidStateError when it is already running, or after {@link shutdown}.
   */
  async start(): Promise<void> {
    if (this.#status === 'closed') throw new InvalidStateError('The scheduler is closed and cannot be started again');
    if (this.#status === 'active') throw new InvalidStateError('The scheduler is already running');
    this.#status = 'active';
    const broker = this.#openedBroker();
    const services = (this.#services ??= this.#createServices(broker));
    const started = services.start(this.#schedules.values());
    this.#starting = started.catch(() => undefined);
    await started;
    const schedules = this.#schedules.size === 1 ? '1 schedule' : `${this.#schedules.size} schedules`;
    this.options.logger.info(`Scheduler started: ${broker.describe()}; ${schedules}`);
  }

  /**
   * Stops for good: no more ticks, and up to `shutdownTimeout` for enqueues in progress. Its schedules are no longer
   * published; their history is kept, since other processes may run the same schedules.
   */
  async shutdown(): Promise<void> {
    // A scheduler that never started can still be started afterwards; only what a ping opened is closed.
    if (this.#status === 'new') return await this.#closeBroker();
    this.#status = 'closed';
    await (this.#closing ??= this.#close());
  }

  /** Makes one round trip to Redis; after {@link shutdown} it succeeds without one. @throws BrokerUnavailableError. */
  async ping(): Promise<void> {
    if (this.#status === 'closed') return;
    const broker = this.#openedBroker();
    await showCaller(broker.open());
    await showCaller(broker.ping());
  }

  #find(id: string): Schedule {
    const schedule = this.#schedules.get(id);
    if (schedule === undefined) throw new ScheduleNotFoundError(id);
    return schedule;
  }

  /** Reports a payload that an asynchronous schema has refused; every tick would be refused. */
  #refusedLater(schedule: Schedule, error: unknown): void {
    this.options.logger.error(`Schedule ${schedule.id} cannot enqueue its task: ${describeError(error)}`);
  }

  #openedBroker(): Broker {
    if (this.#broker !== undefined) return this.#broker;
    const { connection, logger } = this.options;
    this.#broker = brokerOf(this.options);
    if (connection.kind === 'own') reportStorage({ broker: this.#broker, logger, events: this.events });
    return this.#broker;
  }

  #createServices(broker: Broker): SchedulerServices {
    return new SchedulerServices({
      broker,
      schedulerId: `${hostname() || 'unknown-host'}:${process.pid}:${this.id}`,
      options: this.options,
      events: this.events,
      registered: () => this.#schedules.values(),
      prepare: ({ registration, enqueueOptions }) =>
        this.#requests.of(registration.task, registration.payload, enqueueOptions),
    });
  }

  async #close(): Promise<void> {
    // A partially started scheduler cannot be stopped properly.
    await this.#starting;
    await this.#services?.stop();
    await this.#closeBroker();
    this.options.logger.stop();
    this.options.logger.info('Scheduler shut down');
  }

  async #closeBroker(): Promise<void> {
    const broker = this.#broker;
    this.#broker = undefined;
    this.#services = undefined;
    if (broker !== undefined && this.options.connection.kind === 'own') await broker.close();
  }
}

function scheduleInfoOf({ id, cron, type, queue, catchUp, overlap, next, previous }: Schedule): ScheduleInfo {
  return {
    id,
    spec: cron.spec,
    timeZone: cron.kind === 'every' ? undefined : cron.timeZone,
    type,
    queue,
    catchUp,
    overlap,
    next: next === undefined ? undefined : new Date(next),
    previous: previous === undefined ? undefined : new Date(previous),
  };
}
