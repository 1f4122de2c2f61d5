import type { OnApplicationBootstrap, OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { InvalidOptionError } from '../model/errors/option-errors.js';
import { InvalidStateError } from '../model/errors/state-errors.js';
import { TestExpectationError } from '../model/errors/test-errors.js';
import { checkDuration, checkInstant, checkInteger, checkNames } from '../model/options/check.js';
import type { TaskArguments, TaskDefinition } from '../model/task/task-definition.js';
import { addMs, type Duration, type EpochMs } from '../model/time/duration.js';
import type { AsynqInstance } from '../nest/asynq-instance.js';
import type { AsynqInstances } from '../nest/asynq-instances.js';
import { defaultInstanceName } from '../nest/asynq.tokens.js';
import { type EnqueuedTask, typeNameOf } from './enqueued-tasks.js';
import type { WorkerFault } from './faults.js';
import type { RecordedLog } from './recorded-logs.js';
import { type RunOptions, type RunOutcome, runSingle } from './single-run.js';
import type { StoredTask } from './stored-task.js';
import { type ExpectedTask, judgeEnqueued, type ExpectationResult } from './task-expectation.js';
import { type TaskRun, TaskRuns } from './task-runs.js';
import type { TestEnvironment } from './test-environment.js';

/** Selects tasks; omitted properties match anything. */
export interface TaskFilter<State = StoredTask['state']> {
  readonly type?: string | TaskDefinition | undefined;
  readonly queue?: string | undefined;
  readonly state?: State | undefined;
}

const defaultMaxRuns = 10_000;

/** How far {@link AsynqTestKit.drain} and {@link AsynqTestKit.advance} go. */
export interface DrainOptions {
  /** How many runs one instant may have; more count as an endless loop. Default 10,000. */
  readonly limit?: number | undefined;
}

/**
 * Gives a test control over an application's tasks and time. Handlers run only inside {@link drain}, {@link advance}
 * and
 * {@link run}; until then a task stays where it was enqueued.
 *
 * @example
 * const asynq = module.get(AsynqTestKit);
 * await signup.register(user);
 * asynq.expectEnqueued('email:send', { payload: { userId: 42 }, queue: 'critical' });
 * await asynq.drain();
 * await asynq.advance('24h');
 */
export class AsynqTestKit implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  readonly #environment: TestEnvironment;
  readonly #instances: AsynqInstances;
  readonly #runs: TaskRuns;
  #stage: 'not-initialized' | 'ready' | 'closed' = 'not-initialized';

  constructor({
    environment,
    instances,
  }: {
    readonly environment: TestEnvironment;
    readonly instances: AsynqInstances;
  }) {
    this.#environment = environment;
    this.#instances = instances;
    const { clock, runs } = environment;
    this.#runs = new TaskRuns({
      clock,
      isOrphan: (queue, id) => runs.isOrphan(queue, id),
      onLost: (queue, id) => runs.end(queue, { id, outcome: 'not-active' }),
    });
    environment.attach(() => instances.all);
  }

  onModuleInit(): void {
    for (const { mux, server } of this.#instances.all) {
      // Inside the application's own middleware, as if the handler had thrown.
      mux.use(this.#environment.faults.middleware);
      this.#runs.listenTo(server.events);
    }
  }

  onApplicationBootstrap(): void {
    this.#stage = 'ready';
  }

  onApplicationShutdown(): void {
    this.#stage = 'closed';
  }

  /** What the engine has logged since the start or the last {@link clear}. */
  get logs(): readonly RecordedLog[] {
    return [...this.#environment.logs.lines];
  }

  /** The virtual time. */
  now(): Date {
    return new Date(this.#environment.clock.now());
  }

  /**
   * Every task that was enqueued since the start or the last {@link clear}, oldest first, whatever happened to it.
   *
   * @throws InvalidOptionError when the filter has an unknown property; so does {@link tasks}.
   */
  enqueued(filter: TaskFilter<EnqueuedTask['state']> = {}): readonly EnqueuedTask[] {
    checkNames({ path: 'enqueued:', value: filter }, filterNames);
    return this.#environment.enqueued.all().filter((task) => fits(task, filter));
  }

  /**
   * Asserts that a task was enqueued, whatever has happened to it since.
   *
   * @throws TestExpectationError that shows the closest match and how it differs.
   */
  expectEnqueued(task: string | TaskDefinition, expected: ExpectedTask = {}): void {
    const { matches, expected: explain } = this.judge(task, expected);
    if (!matches) throw new TestExpectationError(explain());
  }

  /** Asserts that no such task was enqueued. @throws TestExpectationError that shows those that were. */
  expectNotEnqueued(task: string | TaskDefinition, expected: Omit<ExpectedTask, 'count'> = {}): void {
    const { matches, unexpected: explain } = this.judge(task, expected);
    if (matches) throw new TestExpectationError(explain());
  }

  /** Returns the verdict behind {@link expectEnqueued}, for your own matchers. */
  judge(task: string | TaskDefinition, expected: ExpectedTask = {}): ExpectationResult {
    return judgeEnqueued(this.#environment.enqueued.all(), { type: typeNameOf(task), expected });
  }

  /** Returns what is stored now, queue by queue. */
  tasks(filter: TaskFilter = {}): readonly StoredTask[] {
    checkNames({ path: 'tasks:', value: filter }, filterNames);
    return this.#environment.tasks().filter((task) => fits(task, filter));
  }

  /**
   * Runs everything that is due now, including tasks that handlers enqueue and retries without a delay. The clock does
   * not move; handlers are awaited. Returns the runs, in the order in which they ended.
   *
   * @throws EndlessDrainError, naming the types, when there is no end. HandlerRunsOnError when a handler does not end
   * within 4 s of real time. InvalidStateError before the application is initialized
   * and after it is closed.
   */
  async drain({ limit = defaultMaxRuns }: DrainOptions = {}): Promise<readonly TaskRun[]> {
    this.#checkReady('drain');
    const mark = this.#runs.mark;
    await this.#environment.runner.runDue(checkLimit(limit));
    return this.#runs.since(mark);
  }

  /**
   * Advances the clock and runs what becomes due, each at its exact instant: scheduled tasks, retries, cron ticks,
   * groups, timeouts of running handlers, ends of leases, unique locks and retentions. What is already due runs first.
   *
   * @throws whatever {@link drain} throws; a handler that does not end is awaited for at most `maxHandlerWait`.
   */
  async advance(duration: Duration, options: DrainOptions = {}): Promise<readonly TaskRun[]> {
    const by = checkDuration({ path: 'advance: duration', value: duration });
    return await this.#advanceTo(addMs(this.#environment.clock.now(), by), options);
  }

  /**
   * Advances the clock to an instant. @throws InvalidOptionError when it has passed; whatever {@link advance} throws.
   */
  async advanceTo(instant: Date, options: DrainOptions = {}): Promise<readonly TaskRun[]> {
    const target = checkInstant({ path: 'advanceTo: instant', value: instant });
    if (target < this.#environment.clock.now()) {
      throw new InvalidOptionError({
        path: 'advanceTo: instant',
        value: instant,
        allowed: `no earlier than the virtual now, ${this.now().toISOString()}`,
      });
    }
    return await this.#advanceTo(target, options);
  }

  /**
   * Runs one task the way a worker does (mux, middleware, guards, pipes, interceptors, filters) and returns the
   * outcome. It uses no queue and stores nothing.
   *
   * @throws InvalidTaskError, InvalidOptionError like `enqueue`. InvalidStateError before the application is
   * initialized.
   */
  run<Task extends string | TaskDefinition>(task: Task, ...args: TaskArguments<Task, RunOptions>): Promise<RunOutcome>;
  async run(task: string | TaskDefinition, payload?: unknown, options: RunOptions = {}): Promise<RunOutcome> {
    this.#checkReady('run');
    const { clock, random } = this.#environment;
    const deps = { instance: this.#instance(options.instance), clock, random };
    return await runSingle(deps, { task, payload, options });
  }

  /** Makes the next `times` runs of a type fail with `error`; their handler is not called. */
  failNext(task: string | TaskDefinition, error: unknown, times = 1): void {
    const count = checkInteger({ path: 'failNext: times', value: times }, { min: 1 });
    this.#environment.faults.fail({ type: typeNameOf(task), error, times: count });
  }

  /**
   * Lets the worker of the next task, or of the next one of a type, die after its handler and before the outcome is
   * written. Nobody else can have the task before its lease ends, 30 s after it was taken; then it is recovered and
   * runs again.
   */
  crash(task?: string | TaskDefinition): void {
    this.#arm('crash', task);
  }

  /**
   * Lets another worker take over the running task, or the next one, or the next of a type: its run is told to stop,
   * its outcome is not written, and it runs again.
   */
  async loseLease(task?: string | TaskDefinition): Promise<void> {
    const type = task === undefined ? undefined : typeNameOf(task);
    const { runs, clock, backgroundTimers } = this.#environment;
    const run = runs.all.find(({ message }) => type === undefined || message.type === type);
    if (run === undefined) return this.#arm('lose-lease', task);
    await run.takeAway(clock.now());
    // The next heartbeat of its server detects it.
    backgroundTimers.runAll();
  }

  /** Makes every broker call fail with BrokerUnavailableError until the clock has advanced by `duration`. */
  brokerDown(duration: Duration): void {
    this.#environment.faults.takeDown(checkDuration({ path: 'brokerDown: duration', value: duration }, 'above-zero'));
  }

  /**
   * Forgets every task, record, log line and fault; the clock keeps its time. Use it between tests of one application.
   */
  clear(): void {
    const { faults, stored, enqueued, runs, logs } = this.#environment;
    faults.clear();
    stored.clear();
    enqueued.clear();
    runs.clear();
    logs.lines.length = 0;
    this.#runs.clear();
  }

  async #advanceTo(target: EpochMs, { limit = defaultMaxRuns }: DrainOptions): Promise<readonly TaskRun[]> {
    this.#checkReady('advance');
    const mark = this.#runs.mark;
    await this.#environment.runner.advanceTo(target, checkLimit(limit));
    return this.#runs.since(mark);
  }

  #arm(kind: WorkerFault, task: string | TaskDefinition | undefined): void {
    this.#environment.faults.arm({ kind, type: task === undefined ? undefined : typeNameOf(task) });
  }

  #instance(name: string | undefined): AsynqInstance {
    const { all, names } = this.#instances;
    const found = all.find((one) => one.name === (name ?? defaultInstanceName));
    const only = name === undefined && all.length === 1 ? all[0] : undefined;
    if (found !== undefined) return found;
    if (only !== undefined) return only;
    throw new InvalidOptionError({
      path: 'run: options.instance',
      value: name,
      allowed: names.length === 0 ? 'given in an application that imports AsynqModule' : `one of ${names.join(', ')}`,
    });
  }

  #checkReady(method: string): void {
    if (this.#stage === 'ready') return;
    if (this.#stage === 'closed') throw new InvalidStateError(`${method}: the application is closed`);
    throw new InvalidStateError(
      `${method}: the application is not initialized, so it has no handlers; ` +
        'await module.init() after compile(), or app.init()',
    );
  }
}

function checkLimit(limit: number): number {
  return checkInteger({ path: 'drain: limit', value: limit }, { min: 1 });
}

const filterNames: readonly (keyof TaskFilter)[] = ['type', 'queue', 'state'];

function fits(
  task: Pick<EnqueuedTask, 'type' | 'queue' | 'state'>,
  { type, queue, state }: TaskFilter<EnqueuedTask['state']>,
): boolean {
  return (
    (type === undefined || task.type === typeNameOf(type)) &&
    (queue === undefined || task.queue === queue) &&
    (state === undefined || task.state === state)
  );
}
