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

/** What follows a task definition; the payload may be left out only where `undefined` is one. */
export type ScheduleArguments<Task> = TaskArguments<Task, ScheduleOptions>;

/** A registered schedule as {@link AsynqScheduler.schedules} shows it: a snapshot. */
export interface ScheduleInfo {
  readonly id: string;
  readonly spec: string;
  /** Zone whose wall clock counts; `undefined` for `@every`. */
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
 * Enqueues tasks on schedules: once a tick for the whole fleet, however many processes run the same schedules
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
  /** Tells what becomes of ticks. */
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
   * @throws InvalidOptionError naming the option, what was given and what is allowed.
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

  /** Where the scheduler is in its life. */
  get status(): 'new' | 'active' | 'closed' {
    return this.#status;
  }

  /**
   * Adds a schedule, before the start or while running; its first tick is the first one after now. The task is what
   * `enqueue` takes, and is prepared anew at each tick.
   *
   * @returns the schedule's id: the given one, or one derived from the content, the same in every process.
   * @throws CronSpecError when the spec does not say when to fire.
   * @throws InvalidTaskError, InvalidOptionError when the task could not be enqueued as given, or not at every tick: all
   * with one `taskId`, or with `unique` for longer than the shortest time between two ticks.
   * @throws ScheduleConflictError when a schedule with this id, or without one the same content, is there.
   * @throws InvalidStateError after {@link shutdown}.
   * @example
   * scheduler.register('CRON_TZ=Asia/Ho_Chi_Minh 0 2 * * *', Backup, { full: true }, { catchUp: 'latest' });
   */
  register<Task extends string | TaskDefinition>(spec: string, task: Task, ...args: ScheduleArguments<Task>): string;
  register(spec: string, task: string | TaskDefinition, payload?: unknown, options: ScheduleOptions = {}): string {
    if (this.#status === 'closed') throw new InvalidStateError('The scheduler is closed; it takes no more schedules');
    // What is wrong with the task is wrong now, not at two in the morning.
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
   * Removes a schedule; from now on it enqueues nothing. Its history stays for a while.
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

  /** The schedules, in the order of registration. */
  schedules(): readonly ScheduleInfo[] {
    return Array.from(this.#schedules.values(), scheduleInfoOf);
  }

  /**
   * Enqueues a schedule's task now, beside its ticks: hooks and history are told, no tick is used up.
   *
   * @throws ScheduleNotFoundError, InvalidStateError after {@link shutdown}, and what `AsynqClient.enqueue` throws.
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
   * Starts to enqueue at the ticks. It does not wait for Redis: while that is away ticks are kept, and enqueued when it
   * is back.
   *
   * @throws InvalidStateError when it runs already, or after {@link shutdown}.
   */
  async start(): Promise<void> {
    if (this.#status === 'closed') throw new InvalidStateError('The scheduler is closed and cannot be started again');
    if (this.#status === 'active') throw new InvalidStateError('The scheduler is running already');
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
   * Stops for good: no more ticks, up to `shutdownTimeout` for enqueues under way. Its schedules are no longer published;
   * their history stays, since other processes may run the same schedules.
   */
  async shutdown(): Promise<void> {
    // One that never started can still be started afterwards; only what a ping opened is closed.
    if (this.#status === 'new') return await this.#closeBroker();
    this.#status = 'closed';
    await (this.#closing ??= this.#close());
  }

  /** One round trip to Redis; after {@link shutdown} it succeeds without one. @throws BrokerUnavailableError. */
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

  /** The schema that refuses the payload took its time; every tick would meet the same. */
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
    // What is half started cannot be stopped whole.
    await this.#starting;
    await this.#services?.stop();
    await this.#closeBroker();
    this.options.logger.stop();
    this.options.logger.info('The scheduler is shut down');
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
