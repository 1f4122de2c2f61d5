import type { CancelThen } from '../../model/broker/presence.contract.js';
import type { DequeueResult, WorkContract } from '../../model/broker/work.contract.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { type EpochMs, ms, type Ms } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { BrokerLink } from '../lifecycle/broker-watch.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { Service } from '../lifecycle/service.js';
import { EarlyCancels } from './early-cancels.js';
import { Execution, type ExecutionHost, type RunSource } from './execution.js';
import { leaseEnd } from './lease-keeping.js';
import type { FedQueue, QueueFeed } from './queue-feed.js';
import type { RunningTasks } from './running-tasks.js';
import type { Settler } from './settler.js';

export interface ProcessorDeps {
  readonly work: Pick<WorkContract, 'dequeue'>;
  readonly feed: QueueFeed;
  readonly settler: Settler;
  readonly runs: ProcessorRuns;
  readonly clock: Clock;
  readonly link: BrokerLink;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  readonly executions: RunningTasks;
  /** `host:pid:server-id`. */
  readonly owner: string;
  readonly concurrency: number;
  readonly shutdownTimeout: Ms;
  /** A call was not answered: it may have taken tasks that never arrived. */
  readonly onLostAnswer: (queue: string) => void;
}

/** What the processor needs of those who run tasks. */
export interface ProcessorRuns extends ExecutionHost {
  /** Calls the handler, or decides at once when there is nothing to call. */
  begin(execution: Execution, now: EpochMs): void;
  /** Gives every run up that has not ended; its task goes back to the head of its queue. */
  putBack(executions: readonly Execution[]): void;
  /** A running task is to be canceled. */
  cancel(execution: Execution, then: CancelThen | undefined): void;
}

/**
 * Tasks whose handlers are started in one turn of the event loop, and tasks that one fetch asks for. Half of the slots:
 * while one half runs, Redis works on the outcomes and the fetch of the other. Fewer than five cost more in calls than the
 * overlap gains; `npm run bench -- --only process` shows it.
 */
const sliceOf = (concurrency: number): number => Math.min(256, Math.max(5, Math.ceil(concurrency / 2)));

/** A turn ends early when its handlers keep the event loop busy for this long, so that outcomes do not wait. */
const longestTurn = ms(2);
const tasksPerLook = 8;

/** Fetching pauses while this many outcomes could not be written, so that an outage cannot fill memory. */
const mostUnsettled = 10_000;

/**
 * Dequeues tasks and keeps the concurrency slots full. In a turn of the event loop it starts a slice of handlers, and as
 * soon as those have ended that wait for nothing it sends their outcomes together with the fetch for the slots that they
 * freed, before it looks at the next slice: Redis and this process work at the same time. It never fetches more than can
 * run now.
 */
export class Processor implements Service {
  readonly name = 'processor';
  readonly #slice: number;
  /** Fetched, not begun; from `#next` on. */
  #inbox: Execution[] = [];
  #next = 0;
  /** Slots taken: by what was fetched, runs, or is stuck. */
  #occupied = 0;
  /** Tasks asked for and not answered yet. */
  #asked = 0;
  #lastCall = 0;
  /** Nothing was fetched because too many outcomes are left to write. */
  #isHeldBack = false;
  readonly #earlyCancels = new EarlyCancels();
  #mode: 'idle' | 'fetching' | 'stopped' | 'draining' = 'idle';
  #turn: 'none' | 'due' | 'open' = 'none';
  #onQuiet: (() => void) | undefined;

  constructor(private readonly deps: ProcessorDeps) {
    this.#slice = sliceOf(deps.concurrency);
  }

  async start(): Promise<void> {
    if (this.#mode !== 'idle') return;
    this.#mode = 'fetching';
    await this.deps.feed.start();
    this.schedule();
  }

  /** Ends fetching; what was fetched runs. Resolves once nothing more can arrive. */
  async stopFetching(): Promise<void> {
    if (this.#mode === 'idle' || this.#mode === 'fetching') this.#mode = 'stopped';
    await this.deps.feed.stop();
    await this.#quiet(() => this.#asked === 0);
  }

  /** Ends fetching, waits for what runs up to the shutdown timeout, puts the rest back, and writes what is left. */
  async stop(): Promise<void> {
    if (this.#mode === 'idle' || this.#mode === 'draining') return;
    this.#mode = 'draining';
    const stopping = this.stopFetching();
    this.#putInboxBack();
    await this.#drain();
    this.deps.runs.putBack([...this.deps.executions].filter((execution) => execution.hasSlot));
    await stopping;
    this.deps.settler.flush(this.deps.clock.now());
    await this.deps.settler.answered();
  }

  /** Makes sure that a turn comes soon. */
  readonly schedule = (): void => {
    if (this.#turn !== 'none') return;
    this.#turn = 'due';
    setImmediate(this.#beginTurn);
  };

  /** A run needs its slot no longer. */
  freeSlot(execution: Execution): void {
    if (!execution.hasSlot) return;
    execution.hasSlot = false;
    this.#occupied -= 1;
    if (execution.isReleased) this.deps.executions.delete(execution);
    this.#notice();
    this.schedule();
  }

  /** Fewer outcomes may be left to write, which is what fetching may have been waiting for. */
  outcomesAnswered(): void {
    if (this.#isHeldBack) this.schedule();
    this.#notice();
  }

  /** Cancels the task with this id, in one queue or in whichever it runs. */
  cancel(taskId: string, request: { readonly queue: string; readonly then: CancelThen } | undefined): void {
    for (const execution of this.deps.executions) {
      if (execution.message.id !== taskId || execution.isReleased) continue;
      if (request !== undefined && request.queue !== execution.queue) continue;
      this.deps.runs.cancel(execution, request?.then);
    }
    if (this.#asked === 0) return;
    // It may have been dequeued already, with the answer still on its way.
    this.#earlyCancels.add(taskId, { queue: request?.queue, then: request?.then, lastCall: this.#lastCall });
  }

  readonly #beginTurn = (): void => {
    this.#turn = 'open';
    const now = this.deps.clock.now();
    this.#settleAndFetch(now);
    this.#beginSlice(now);
    // Handlers that wait for nothing have ended when the promises of this turn are through.
    queueMicrotask(() => process.nextTick(this.#endTurn));
  };

  readonly #endTurn = (): void => {
    this.#turn = 'none';
    this.#settleAndFetch(this.deps.clock.now());
    if (this.#inbox.length > 0) this.schedule();
  };

  #settleAndFetch(now: EpochMs): void {
    this.deps.settler.flush(now);
    this.#fetch(now);
  }

  #fetch(now: EpochMs): void {
    if (this.#mode !== 'fetching' || !this.deps.link.isUp()) return;
    const { concurrency, feed, executions } = this.deps;
    const free = concurrency - this.#occupied - this.#asked;
    this.#isHeldBack = executions.size > concurrency + mostUnsettled;
    if (free <= 0 || this.#isHeldBack) return;
    for (const { queue, limit } of feed.plan(free)) {
      let left = limit;
      do {
        const size = Math.min(left, this.#slice);
        void this.#request(queue, { limit: size, now });
        left -= size;
        // A queue that may well be empty is asked once.
      } while (left > 0 && queue.isOpen);
    }
  }

  async #request(queue: FedQueue, { limit, now }: { readonly limit: number; readonly now: EpochMs }): Promise<void> {
    const { work, feed, owner } = this.deps;
    const call = (this.#lastCall += 1);
    const wakesBefore = feed.asked(queue);
    const leaseUntil = leaseEnd(now);
    this.#asked += limit;
    let result: DequeueResult;
    try {
      result = await work.dequeue({ queue: queue.name, limit, now, leaseUntil, owner });
    } catch (error) {
      this.#asked -= limit;
      feed.refused(queue);
      if (error instanceof BrokerUnavailableError) this.deps.onLostAnswer(queue.name);
      else this.#fetchFailed(queue.name, error);
      this.#notice();
      return;
    }
    this.#asked -= limit;
    feed.answered(queue, { left: result.left, wakesBefore });
    this.#take(result, { queue: queue.name, takenAt: now, leaseUntil, call });
  }

  #take(result: DequeueResult, source: Omit<RunSource, 'message'> & { readonly call: number }): void {
    const { queue, takenAt, leaseUntil, call } = source;
    const { runs, executions } = this.deps;
    const canceled = this.#earlyCancels.meet({ queue, messages: result.messages, call });
    for (const message of result.messages) {
      const execution = new Execution(runs, { message, queue, takenAt, leaseUntil });
      executions.add(execution);
      this.#inbox.push(execution);
      if (canceled.has(message.id)) runs.cancel(execution, canceled.get(message.id));
    }
    this.#occupied += result.messages.length;
    if (result.undecodable.length > 0) this.#report(result);
    if (this.#mode === 'draining') this.#putInboxBack();
    this.#notice();
    this.schedule();
  }

  #fetchFailed(queue: string, error: unknown): void {
    const text = `Tasks of queue "${queue}" could not be fetched: ${describeError(error)}`;
    this.deps.logger.error(text, { kind: `fetch failed ${queue}` });
  }

  #putInboxBack(): void {
    const waiting = this.#inbox.slice(this.#next);
    this.#inbox = [];
    this.#next = 0;
    this.deps.runs.putBack(waiting);
  }

  #report(result: DequeueResult): void {
    for (const { queue, taskId, reason } of result.undecodable) {
      this.deps.logger.error(`Task "${taskId}" of queue "${queue}" does not decode and was archived: ${reason}`, {
        kind: `undecodable ${queue}`,
      });
      this.deps.events.emit('undecodable', { task: { id: taskId, queue }, reason });
    }
  }

  #beginSlice(now: EpochMs): void {
    if (this.#next === this.#inbox.length) return;
    const { runs, clock } = this.deps;
    const end = Math.min(this.#inbox.length, this.#next + this.#slice);
    const turnEnd = clock.monotonic() + longestTurn;
    let index = this.#next;
    while (index < end) {
      runs.begin(this.#inbox[index] as Execution, now);
      index += 1;
      if (index % tasksPerLook === 0 && clock.monotonic() > turnEnd) break;
    }
    this.#next = index;
    if (index < this.#inbox.length) return;
    this.#inbox = [];
    this.#next = 0;
  }

  /** Resolves when no handler runs, or when the shutdown timeout is over. */
  async #drain(): Promise<void> {
    const { clock, shutdownTimeout } = this.deps;
    // A stuck handler whose outcome is stored has nothing left that would be worth the wait.
    const isDone = (): boolean =>
      ![...this.deps.executions].some((one) => one.hasSlot && !(one.phase === 'ended' && one.isReleased));
    if (isDone()) return;
    let timer: Timer | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = clock.setTimer(shutdownTimeout, resolve);
    });
    await Promise.race([timeout, this.#quiet(isDone)]);
    timer?.cancel();
  }

  async #quiet(isQuiet: () => boolean): Promise<void> {
    while (!isQuiet()) {
      await new Promise<void>((resolve) => {
        const earlier = this.#onQuiet;
        this.#onQuiet = () => {
          earlier?.();
          resolve();
        };
      });
    }
  }

  #notice(): void {
    const tell = this.#onQuiet;
    this.#onQuiet = undefined;
    tell?.();
  }
}
