import { pause, waitFor } from '../../model/time/wait.js';
import { refusalError } from '../../model/broker/enqueue-refusal.js';
import type { EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import type {
  AggregationSet,
  AggregationSetRequest,
  FinishAggregationRequest,
  FinishOutcome,
  MaintenanceContract,
} from '../../model/broker/maintenance.contract.js';
import { assertNever } from '../../model/errors/asynq-error.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { showValue } from '../../model/errors/option-errors.js';
import { DeadlineExceededError, InvalidTaskError, TaskAbortedError } from '../../model/errors/task-errors.js';
import { checkNames, checkObject } from '../../model/options/check.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { PayloadCodec } from '../../model/task/payload.codec.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import type { EnqueueOptions } from '../../model/task/task-options.js';
import type { Clock } from '../../model/time/clock.js';
import { elapsed, ms } from '../../model/time/duration.js';
import type { TaskRequests } from '../client/task-requests.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { setDeadline } from '../lifecycle/deadline.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { reportUndecodable } from '../storage-reporter.js';
import { AggregatedTask, type GroupAggregator } from './task-group.js';

export interface SetAggregationDeps {
  readonly maintenance: Pick<
    MaintenanceContract,
    'readAggregationSet' | 'finishAggregation' | 'returnAggregationSet' | 'deleteAggregationSet'
  >;
  readonly aggregator: GroupAggregator;
  readonly requests: TaskRequests;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
}

type EnqueueCall = readonly [task: string | TaskDefinition, payload: unknown, options: EnqueueOptions | undefined];

/** How long to wait before repeating a call whose reply was lost. */
const restAfterLoss = ms(1_000);

/**
 * Processes one aggregation set, from its collection to the combined task. Failures are logged and announced by an
 * event; the tasks then return to their group when the set's time is over, or at once on shutdown.
 */
export class SetAggregation {
  readonly #abort = new AbortController();

  constructor(
    private readonly deps: SetAggregationDeps,
    private readonly set: AggregationSetRequest,
  ) {}

  /** Runs the whole aggregation; never rejects. */
  async run(): Promise<void> {
    try {
      await this.#aggregate();
    } catch (error) {
      this.#failed(error);
      if (error instanceof TaskAbortedError) await this.#giveBack();
    }
  }

  /** Gives up because the server shuts down and waits no longer: the tasks return to their group. */
  abandon(): void {
    this.#abort.abort(new TaskAbortedError());
  }

  async #aggregate(): Promise<void> {
    this.#abort.signal.throwIfAborted();
    const { maintenance, clock } = this.deps;
    const read = await maintenance.readAggregationSet({ ...this.set, now: clock.now() });
    if (read === undefined) throw new DeadlineExceededError();
    reportUndecodable(read.undecodable, this.deps);
    if (read.messages.length === 0) return await maintenance.deleteAggregationSet(this.set);
    const limit = setDeadline(clock, elapsed(clock.now(), read.expiresAt), () => {
      this.#abort.abort(new DeadlineExceededError());
    });
    try {
      const combined = await this.#combinedInTime(read);
      const locks = read.messages.map(({ uniqueKey }) => uniqueKey).filter((key) => key !== '');
      this.#conclude(await this.#finish({ combined, locks }), { combined, size: read.messages.length });
    } finally {
      limit.cancel();
    }
  }

  /** @throws the reason of the abort when that comes first. */
  async #combinedInTime(read: AggregationSet): Promise<EnqueueRequest> {
    const { signal } = this.#abort;
    const waited = await waitFor(this.#combine(read), { signal });
    if (waited.ended !== 'in-time') throw signal.reason;
    return waited.value;
  }

  async #combine({ messages }: AggregationSet): Promise<EnqueueRequest> {
    const { aggregator, codec, requests } = this.deps;
    const { queue, group } = this.set;
    const tasks = messages.map((message) => new AggregatedTask(message, codec));
    const given = await aggregator({ queue, name: group, tasks, signal: this.#abort.signal });
    const [task, payload, options] = readAnswer(given);
    const own = options === undefined ? {} : checkObject({ path: 'aggregator: options', value: options });
    return await requests.of(task, payload, { ...own, queue });
  }

  /** A call whose reply was lost is repeated: if the first took effect, the second does nothing. */
  async #finish(task: Pick<FinishAggregationRequest, 'combined' | 'locks'>): Promise<FinishOutcome | 'unknown'> {
    const { maintenance, clock } = this.deps;
    for (let isFirst = true; ; isFirst = false) {
      try {
        const outcome = await maintenance.finishAggregation({ ...this.set, ...task, now: clock.now() });
        return outcome === 'gone' && !isFirst ? 'unknown' : outcome;
      } catch (error) {
        if (!(error instanceof BrokerUnavailableError)) throw error;
        const { signal } = this.#abort;
        await pause(restAfterLoss, { clock, signal });
        signal.throwIfAborted();
      }
    }
  }

  #conclude(
    outcome: FinishOutcome | 'unknown',
    { combined, size }: { readonly combined: EnqueueRequest; readonly size: number },
  ): void {
    const { id, type } = combined.message;
    const { queue, group } = this.set;
    switch (outcome) {
      case 'finished':
        this.deps.logger.debug(`Aggregated ${size} tasks of ${this.#name()} into ${type} ${id}`);
        return this.deps.events.emit('aggregated', { queue, group, size, task: { id, type } });
      case 'unknown':
        // A reply was lost. Either the combined task is stored or the tasks are back in their group; both are fine.
        return this.deps.logger.warn(`The tasks of ${this.#name()} were aggregated or are back in their group`, {
          kind: `aggregation unknown ${queue}`,
        });
      case 'gone':
        throw new DeadlineExceededError();
      case 'duplicate':
      case 'id-conflict':
        throw refusalError(outcome, combined.message);
      default:
        return assertNever(outcome);
    }
  }

  async #giveBack(): Promise<void> {
    try {
      await this.deps.maintenance.returnAggregationSet(this.set);
    } catch (error) {
      this.deps.logger.warn(`The tasks of ${this.#name()} return to it only in two minutes: ${describeError(error)}`, {
        kind: `set not returned ${this.set.queue}`,
      });
    }
  }

  #failed(error: unknown): void {
    const { queue, group } = this.set;
    const text = `The tasks of ${this.#name()} were not aggregated: ${describeError(error)}`;
    const kind = `not aggregated ${queue} ${describeError(error)}`;
    if (error instanceof TaskAbortedError) this.deps.logger.warn(text, { kind });
    else this.deps.logger.error(text, { kind });
    this.deps.events.emit('aggregationFailed', { queue, group, error });
  }

  #name(): string {
    return `group "${this.set.group}" of queue "${this.set.queue}"`;
  }
}

/** Converts an aggregator's return value into the arguments of `enqueue`. */
function readAnswer(given: unknown): EnqueueCall {
  if (Array.isArray(given)) return given as unknown as EnqueueCall;
  if (typeof given !== 'object' || given === null) {
    throw new InvalidTaskError(
      `An aggregator must return a task: { type, payload, options } or [task, payload, options], got ${showValue(given)}`,
    );
  }
  checkNames({ path: 'aggregator: task', value: given }, ['type', 'payload', 'options']);
  const { type, payload, options } = given as { type: string; payload?: unknown; options?: EnqueueOptions };
  return [type, payload, options];
}
