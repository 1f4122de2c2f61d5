import type { Broker } from '../../model/broker/broker.js';
import type { EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import type { CancelResult, CancelOutcome } from '../../model/broker/presence.contract.js';
import { AsynqError } from '../../model/errors/asynq-error.js';
import { callerFrames, forCaller, showCaller } from '../../model/errors/caller-stack.js';
import { showValue } from '../../model/errors/option-errors.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import { InvalidTaskError } from '../../model/errors/task-errors.js';
import { checkNames, checkObject, checkOneOf, checkText, refuse } from '../../model/options/check.js';
import { Resolved } from '../../model/options/resolved.js';
import { checkQueueName } from '../../model/queue/queue-name.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import type { TaskInfo } from '../../model/task/task-info.js';
import type { EnqueueOptions } from '../../model/task/task-options.js';
import { ms } from '../../model/time/duration.js';
import { brokerOf } from '../connection-options.js';
import { ClockMonitor } from '../lifecycle/clock-monitor.js';
import { reportStorage } from '../storage-reporter.js';
import { type ClientOptions, type ResolvedClientOptions, resolveClientOptions } from './client-options.js';
import { EnqueueBatcher } from './enqueue-batcher.js';
import { AwaitedEnqueue, CountedEnqueue, type EnqueueResult, type Moment, Tally } from './enqueue-outcome.js';
import { UnservedQueues } from './unserved-queues.js';
import { type EnqueueArguments, TaskRequests } from './task-requests.js';

/** Options of {@link AsynqClient.cancel}. */
export interface CancelOptions {
  /** Queue of a task that is given by its id. Default: the queue of the client's defaults, else `'default'`. */
  readonly queue?: string | undefined;
  /** Instead of `queue`: the task's definition, to use the queue into which `enqueue` puts it. Default: none. */
  readonly definition?: TaskDefinition | undefined;
  /** What happens to the task, unless its handler decides otherwise. Default `'archive'`. */
  readonly outcome?: CancelOutcome | undefined;
}

/** A task by its id and queue: a {@link TaskInfo}, the `task` of an event, or a {@link Task}. */
export interface TaskReference {
  readonly id: string;
  readonly queue: string;
}

/** A request, or the reason why the task is refused. */
type Prepared = EnqueueRequest | AsynqError;
type Preparing = Prepared | Promise<Prepared>;

/** Tasks prepared and passed on at a time, so that a long list occupies neither memory nor the event loop. */
const manyChunkSize = 500;

/**
 * Enqueues and cancels tasks. Create one client and share it; it connects at its first use.
 *
 * @example
 * const asynq = new AsynqClient({ redis: 'redis://localhost:6379' });
 * await asynq.enqueue('email:send', { userId: 42 }, { processIn: '24h', maxRetry: 3 });
 */
export class AsynqClient {
  readonly #options: ResolvedClientOptions;
  readonly #broker: Broker;
  readonly #batcher: EnqueueBatcher;
  readonly #requests: TaskRequests;
  readonly #unserved: UnservedQueues | undefined;
  #closing: Promise<void> | undefined;

  /** Does not connect yet. @throws InvalidOptionError when an option is invalid. */
  constructor(options?: ClientOptions);
  /** @internal */
  constructor(options: Resolved<ResolvedClientOptions>);
  constructor(options: ClientOptions | Resolved<ResolvedClientOptions> = {}) {
    this.#options = options instanceof Resolved ? options.options : resolveClientOptions(options);
    const { connection, clock, logger } = this.#options;
    this.#broker = brokerOf(this.#options);
    if (connection.kind === 'own') {
      this.#watchClock();
      reportStorage({ broker: this.#broker, logger });
    }
    this.#batcher = new EnqueueBatcher({ broker: this.#broker, clock });
    this.#requests = new TaskRequests(this.#options);
    const { unservedQueueWarning: grace } = this.#options;
    // With a test's clock there is usually no server; without a logger nobody would see the warning.
    if (grace !== false && clock.backgroundTimers === undefined && !logger.isSilent) {
      this.#unserved = new UnservedQueues({ presence: this.#broker.presence, clock, logger, grace });
    }
  }

  /**
   * Enqueues one task. Calls made in the same turn of the event loop share a round trip; each has its own outcome.
   *
   * The payload is encoded at once; bytes (`Buffer`, `Uint8Array`) are sent unchanged and must not be modified before
   * the promise settles. A definition's schema checks it as it will arrive; the payload is sent as it was given.
   *
   * @throws InvalidTaskError, InvalidOptionError when the task cannot be enqueued as given; nothing was sent.
   * @throws DuplicateTaskError when it is `unique` and an equal task holds the lock.
   * @throws TaskIdConflictError when its `taskId` is taken in the queue.
   * @throws BrokerUnavailableError when Redis could not be reached in time; the message says whether the task may be
   * stored.
   * @throws InvalidStateError after {@link close}.
   * @example
   * const info = await asynq.enqueue('email:send', { userId: 42 }, { queue: 'critical', unique: '1h' });
   */
  enqueue<Task extends string | TaskDefinition>(task: Task, ...args: EnqueueArguments<Task>): Promise<TaskInfo>;
  enqueue(task: string | TaskDefinition, payload?: unknown, options?: EnqueueOptions): Promise<TaskInfo> {
    try {
      this.#refuseClosed();
      const request = this.#requests.of(task, payload, options);
      return request instanceof Promise ? request.then((ready) => this.#handOver(ready)) : this.#handOver(request);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Enqueues many tasks with few round trips and returns the outcome of each, in the given order. A refused task does
   * not affect the others. Rejects only when the list is not an array or the client is closed.
   *
   * @example
   * const results = await asynq.enqueueMany([[SendEmail, { userId: 1 }], [SendEmail, { userId: 2 }, { processIn: '1h'
   * }]]); const refused = results.filter((result) => result.status === 'rejected');
   */
  async enqueueMany<const Tasks extends readonly (string | TaskDefinition)[]>(
    items: readonly [
      ...{ [Index in keyof Tasks]: readonly [task: Tasks[Index], ...arguments: EnqueueArguments<Tasks[Index]>] },
    ],
  ): Promise<EnqueueResult[]> {
    this.#refuseClosed();
    const list: readonly unknown[] = Array.isArray(items)
      ? items
      : refuse({ path: 'enqueueMany: items', value: items }, 'an array');
    const tally = new Tally(list.length);
    for (let start = 0; start < list.length; start += manyChunkSize) {
      const requests = list.slice(start, start + manyChunkSize).map((item) => this.#tryRequest(item));
      const ready = areReady(requests) ? requests : await Promise.all(requests.map(asPromise));
      const moment = this.#moment();
      for (let offset = 0; offset < ready.length; offset += 1) {
        const request = ready[offset] as Prepared;
        const index = start + offset;
        if (request instanceof AsynqError) tally.add(index, { status: 'rejected', error: request });
        else {
          this.#batcher.add(new CountedEnqueue(request, moment, { index, tally }));
          this.#unserved?.note(request.message);
        }
      }
      await this.#batcher.room();
    }
    const results = await tally.results;
    if (!results.some(isRefused)) return results;
    const frames = callerFrames();
    return results.map((result) =>
      isRefused(result) ? { ...result, error: forCaller(result.error, frames) } : result,
    );
  }

  /**
   * Cancels a task, whatever its state and wherever it runs. A running task gets its abort signal and ends as `outcome`
   * says, unless its handler decides otherwise; any other task is archived or deleted at once.
   *
   * @param task the result of `enqueue`, or the id of a task together with its queue or definition.
   * @returns what was done; `'not-found'` when there is no such task in the queue.
   * @throws InvalidOptionError, InvalidStateError
   * @throws BrokerUnavailableError when Redis cannot be reached.
   * @example
   * await asynq.cancel(info);
   * await asynq.cancel(info.id, { definition: SendEmail, outcome: 'delete' });
   */
  async cancel(task: string | TaskReference, options: CancelOptions = {}): Promise<CancelResult> {
    this.#refuseClosed();
    checkNames({ path: 'cancel: options', value: options }, ['queue', 'definition', 'outcome']);
    const { outcome = 'archive' } = options;
    const { id: taskId, queue } = typeof task === 'string' ? this.#byId(task, options) : checkReference(task, options);
    checkOneOf({ path: 'cancel: options.outcome', value: outcome }, ['archive', 'delete', 'retry']);
    await showCaller(this.#broker.open());
    return await showCaller(this.#broker.presence.cancel({ taskId, queue, outcome, now: this.#options.clock.now() }));
  }

  /**
   * Asynq's own cancellation: tells every server, Go's included, to stop the running task with this id, whatever its
   * queue. Nothing is stored, so it does nothing to a task that is not running (P-110).
   *
   * @throws InvalidOptionError, InvalidStateError
   * @throws BrokerUnavailableError when Redis cannot be reached.
   */
  async signalCancel(taskId: string): Promise<void> {
    this.#refuseClosed();
    checkText({ path: 'signalCancel: taskId', value: taskId });
    await showCaller(this.#broker.open());
    await showCaller(this.#broker.presence.signalCancel(taskId));
  }

  /** Makes one round trip to Redis. @throws BrokerUnavailableError when Redis does not answer. */
  async ping(): Promise<void> {
    this.#refuseClosed();
    await showCaller(this.#broker.open());
    await showCaller(this.#broker.ping());
  }

  /**
   * Waits for enqueues in progress, then closes the connections that this client opened. A borrowed broker stays open.
   * Idempotent; later calls of the other methods are refused.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#batcher.idle();
    this.#batcher.stop();
    this.#unserved?.stop();
    if (this.#options.connection.kind === 'own') await this.#broker.close();
    this.#options.logger.stop();
  }

  /** Compares the clocks whenever Redis becomes reachable, because due times are computed from this clock. */
  #watchClock(): void {
    const { clock, logger } = this.#options;
    const broker = this.#broker;
    const clockMonitor = new ClockMonitor({ broker, clock, logger });
    broker.onAvailability(({ kind }) => void (kind === 'up' && clockMonitor.look()));
  }

  #handOver(request: EnqueueRequest): Promise<TaskInfo> {
    this.#refuseClosed();
    const task = new AwaitedEnqueue(request, this.#moment());
    this.#batcher.add(task);
    this.#unserved?.note(request.message);
    return task.info;
  }

  /** Converts one item of {@link enqueueMany} into a request, or into the reason why it is refused. */
  #tryRequest(item: unknown): Preparing {
    try {
      this.#refuseClosed();
      if (!Array.isArray(item)) {
        throw new InvalidTaskError(`enqueueMany takes tuples [task, payload?, options?], got ${showValue(item)}`);
      }
      const [task, payload, options] = item as unknown as readonly [string, unknown, EnqueueOptions | undefined];
      const request = this.#requests.of(task, payload, options);
      return request instanceof Promise ? request.catch(asRefusal) : request;
    } catch (error) {
      return asRefusal(error);
    }
  }

  #byId(taskId: string, { queue, definition }: CancelOptions): TaskReference {
    const id = checkText({ path: 'cancel: taskId', value: taskId });
    if (queue === undefined) return { id, queue: this.#requests.queueOf(definition) };
    if (definition !== undefined) refuse({ path: 'cancel: options.queue', value: queue }, 'left out with a definition');
    return { id, queue: checkQueueName({ path: 'cancel: options.queue', value: queue }) };
  }

  #moment(): Moment {
    const { clock, codec, enqueueTimeout } = this.#options;
    return { giveUpAt: ms(clock.monotonic() + enqueueTimeout), now: clock.now(), codec };
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new InvalidStateError('The client is closed');
  }
}

function checkReference(task: unknown, { queue, definition }: CancelOptions): TaskReference {
  const given = checkObject({ path: 'cancel: task', value: task });
  if (queue !== undefined || definition !== undefined) {
    const named = queue === undefined ? 'definition' : 'queue';
    refuse(
      { path: `cancel: options.${named}`, value: queue ?? definition },
      'left out, since the task knows its queue',
    );
  }
  return {
    id: checkText({ path: 'cancel: task.id', value: given['id'] }),
    queue: checkQueueName({ path: 'cancel: task.queue', value: given['queue'] }),
  };
}

function areReady(requests: readonly Preparing[]): requests is readonly Prepared[] {
  return !requests.some((request) => request instanceof Promise);
}

async function asPromise(request: Preparing): Promise<Prepared> {
  return await request;
}

function isRefused(result: EnqueueResult): result is Extract<EnqueueResult, { status: 'rejected' }> {
  return result.status === 'rejected';
}

function asRefusal(error: unknown): AsynqError {
  if (error instanceof AsynqError) return error;
  return new InvalidTaskError(`The task cannot be enqueued: ${showValue(error)}`, { cause: error });
}
