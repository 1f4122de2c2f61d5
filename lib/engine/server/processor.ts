import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import type { WorkContract } from '../../model/broker/work.contract.js';
import { TaskAbortedError } from '../../model/errors/task-errors.js';
import type { PayloadCodec } from '../../model/task/payload.codec.js';
import type { Clock } from '../../model/time/clock.js';
import { addMs, type EpochMs, ms } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { waitUntilDeadline } from '../lifecycle/deadline.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import { ConditionVariable } from '../lifecycle/condition-variable.js';
import type { Service } from '../lifecycle/service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { subjectOf } from '../outcome/event-task.js';
import type { Fetcher } from './fetcher.js';
import { FetchedRuns } from './fetched-runs.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { QueueFeed } from './queue-feed.js';
import { Run, type RunHost } from './run.js';
import type { RunJudge } from './run-judge.js';
import type { RunList } from './run-list.js';
import type { RunStarter } from './run-starter.js';
import type { RunStopper } from './run-stopper.js';
import type { ResolvedServerOptions } from './server-options.js';
import type { FetchedTasks, InternalEvents } from './internal-events.js';
import type { Settler } from './settler.js';

export interface ProcessorDeps {
  readonly work: Pick<WorkContract, 'writeResult'>;
  /** `host:pid:server-id` of this server. */
  readonly owner: string;
  readonly feed: QueueFeed;
  readonly fetcher: Fetcher;
  readonly starter: RunStarter;
  readonly stopper: Pick<RunStopper, 'cancel'>;
  readonly leases: Pick<LeaseKeeper, 'makeSure'>;
  readonly judge: RunJudge;
  readonly settler: Settler;
  readonly internalEvents: InternalEvents;
  readonly runs: RunList;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly brokerMonitor: BrokerReachability;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  readonly options: Pick<ResolvedServerOptions, 'concurrency' | 'shutdownTimeout' | 'stuckPolicy'>;
}

/**
 * Tasks whose handlers are started in one turn of the event loop, and tasks that one fetch asks for: half of the slots.
 * While one half runs, Redis works on the outcomes and the fetch of the other. Fewer than five cost more in calls than
 * the overlap gains; `npm run bench -- --only process` shows it.
 */
export const sliceOf = (concurrency: number): number => Math.min(256, Math.max(5, Math.ceil(concurrency / 2)));

/** A turn ends early when its handlers keep the event loop busy for this long, so that outcomes do not wait. */
const maxTurn = ms(2);

/** Fetching pauses while this many outcomes could not be written, so that an outage cannot fill memory. */
const maxUnsettled = 10_000;

/**
 * The loop that runs tasks, and the only owner of the server's slots and runs. In a turn of the event loop it starts a
 * slice of handlers. As soon as the synchronous ones have ended, it judges them and sends their outcomes together with
 * the fetch for the freed slots, before it starts the next slice, so Redis and this process work concurrently. It never
 * fetches more than can run now. A run that ends later adds itself to the list of ended runs and wakes the loop.
 */
export class Processor implements Service, RunHost {
  readonly name = 'processor';
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly #slice: number;
  readonly #fetched = new FetchedRuns();
  /** Runs that have ended and are not judged yet. */
  #ended: Run[] = [];
  /** Occupied slots: by runs that are fetched, running or stuck. */
  #occupied = 0;
  #mode: 'idle' | 'fetching' | 'stopped' | 'draining' = 'idle';
  #turn: 'none' | 'due' | 'open' = 'none';
  /** Whether fetching was skipped because too many outcomes are still to be written. */
  #isHeldBack = false;
  readonly #progress = new ConditionVariable();

  constructor(private readonly deps: ProcessorDeps) {
    this.codec = deps.codec;
    this.clock = deps.clock;
    this.#slice = sliceOf(deps.options.concurrency);
    deps.internalEvents.on('work', () => {
      this.#progress.notifyAll();
      this.#schedule();
    });
    deps.internalEvents.on('arrived', (arrival) => this.#take(arrival));
    deps.internalEvents.on('closed', (runs) => this.#closed(runs));
  }

  async start(): Promise<void> {
    if (this.#mode !== 'idle') return;
    this.#mode = 'fetching';
    await this.deps.feed.start();
    this.#schedule();
  }

  /** Stops fetching; fetched tasks still run. Resolves once nothing can arrive any more. */
  async stopFetching(): Promise<void> {
    if (this.#mode === 'idle' || this.#mode === 'fetching') this.#mode = 'stopped';
    await this.deps.feed.stop();
    await this.#progress.waitUntil(() => this.deps.fetcher.asked === 0);
  }

  /** Stops fetching, waits for runs up to the shutdown timeout, puts the rest back, and writes all outcomes. */
  async stop(): Promise<void> {
    if (this.#mode === 'idle' || this.#mode === 'draining') return;
    this.#mode = 'draining';
    const stopping = this.stopFetching();
    this.#putBack(this.#fetched.takeAll());
    await this.#drain();
    this.#putBack([...this.deps.runs]);
    await stopping;
    this.#settleEnded(this.clock.now());
    // A promise of the user's error handler is not awaited any more.
    this.#putBack([...this.deps.runs]);
    this.#settleEnded(this.clock.now());
    this.deps.settler.flush();
    await this.deps.settler.answered();
  }

  /** Cancels the task with this id, in one queue or in whichever it runs. */
  cancel(taskId: string, request: { readonly queue: string; readonly outcome: CancelOutcome } | undefined): void {
    const { runs, stopper, fetcher } = this.deps;
    for (const run of runs) {
      if (run.message.id !== taskId || (request !== undefined && request.queue !== run.queue)) continue;
      if (run.lease.kind === 'ours') stopper.cancel(run, request?.outcome);
    }
    fetcher.cancelEarly(taskId, { queue: request?.queue, outcome: request?.outcome });
  }

  ended(run: Run): void {
    this.#ended.push(run);
    this.#schedule();
  }

  endedLate(run: Run, outcome: 'success' | 'failure'): void {
    const task = subjectOf(run);
    // A handler that obeys its signal while the server stops behaves correctly.
    const level = run.abortSignal().reason instanceof TaskAbortedError ? 'debug' : 'warn';
    this.deps.logger[level](`Task "${task.id}" of type "${task.type}" ended (${outcome}) after it had been given up`, {
      kind: `late end ${task.type}`,
    });
    this.deps.events.emit('lateOutcome', { task, outcome });
    if (run.isOpen || run.state.phase === 'ended') return;
    this.#freeSlot(run);
    this.#progress.notifyAll();
    this.#schedule();
  }

  async writeResult(run: Run, result: Uint8Array): Promise<boolean> {
    const { queue, message, lease } = run;
    if (lease.kind === 'lost') return false;
    const request = { ...lease, queue, taskId: message.id, owner: this.deps.owner, result };
    if (await this.deps.work.writeResult(request)) return true;
    // The lease was extended in the meantime, maybe before this arrived.
    return run.lease !== lease && (await this.writeResult(run, result));
  }

  /** Schedules a turn soon. */
  #schedule(): void {
    if (this.#turn !== 'none') return;
    this.#turn = 'due';
    setImmediate(this.#beginTurn);
  }

  readonly #beginTurn = (): void => {
    this.#turn = 'open';
    this.#settleAndFetch(this.clock.now());
    this.#beginSlice();
    // Synchronous handlers have ended when the promises of this turn have settled.
    queueMicrotask(() => process.nextTick(this.#endTurn));
  };

  readonly #endTurn = (): void => {
    this.#turn = 'none';
    this.#settleAndFetch(this.clock.now());
    if (!this.#fetched.isEmpty) this.#schedule();
  };

  #settleAndFetch(now: EpochMs): void {
    this.#settleEnded(now);
    this.deps.settler.flush();
    this.#fetch(now);
  }

  /** Decides the outcomes of the ended runs, and frees their slots. */
  #settleEnded(now: EpochMs): void {
    if (this.#ended.length === 0) return;
    const { feed, judge, settler } = this.deps;
    const ended = this.#ended;
    this.#ended = [];
    for (const run of ended) {
      const { state } = run;
      // A run whose error handler was being awaited when the server stopped may be here twice.
      if (state.phase !== 'ended') continue;
      if (state.how === 'unknown-type') feed.tookUnknown(run.queue, run.message.type);
      const verdict = judge.judge(run, { state, now });
      if (verdict instanceof Promise) {
        run.reported();
        void verdict.then(() => this.ended(run));
        continue;
      }
      if (verdict === 'none') run.close();
      else settler.add(run.settle(verdict));
      // A handler that is still running keeps its slot, unless the policy frees it or nothing is fetched any more.
      if (!run.handlerRuns || this.deps.options.stuckPolicy === 'release' || this.#mode === 'draining') {
        this.#freeSlot(run);
      }
    }
    this.#progress.notifyAll();
  }

  #fetch(now: EpochMs): void {
    if (this.#mode !== 'fetching' || !this.deps.brokerMonitor.isUp()) return;
    const { fetcher, runs, options } = this.deps;
    const free = options.concurrency - this.#occupied - fetcher.asked;
    this.#isHeldBack = runs.size > options.concurrency + maxUnsettled;
    if (free <= 0 || this.#isHeldBack) return;
    fetcher.fetch(free, now);
  }

  #take({ messages, queue, lease, canceled }: FetchedTasks): void {
    const { runs, stopper } = this.deps;
    for (const message of messages) {
      const run = new Run(this, { message, queue, lease });
      runs.add(run);
      this.#fetched.add(run);
      if (canceled.has(message.id)) stopper.cancel(run, canceled.get(message.id));
    }
    this.#occupied += messages.length;
    if (this.#mode === 'draining') this.#putBack(this.#fetched.takeAll());
  }

  #beginSlice(): void {
    const over: Run[] = [];
    // Read for each, or a handler that computes would use up the time of those behind it.
    let now = this.clock.now();
    const turnEnd = addMs(now, maxTurn);
    for (let begun = 0; begun < this.#slice && now <= turnEnd; begun += 1) {
      const run = this.#fetched.take();
      if (run === undefined) break;
      if (run.lease.kind === 'ours' && run.lease.leaseUntil < now) over.push(run);
      else this.deps.starter.begin(run, now);
      now = this.clock.now();
    }
    if (over.length > 0) void this.#beginIfKept(over, now);
  }

  /** This process stood still: the leases of these tasks ended before they could begin, and others may have them. */
  async #beginIfKept(runs: readonly Run[], now: EpochMs): Promise<void> {
    await this.deps.leases.makeSure(runs, now);
    for (const run of runs) this.#fetched.add(run);
    if (this.#mode === 'draining') this.#putBack(this.#fetched.takeAll());
    else this.#schedule();
  }

  /** Gives up runs; a task that was not told to stop goes back to the head of its queue. */
  #putBack(runs: readonly Run[]): void {
    const now = this.clock.now();
    for (const run of runs) {
      if (!run.hasSlot) continue;
      if (run.isOpen) run.putBack(now);
      else if (run.state.phase === 'ended') this.#ended.push(run);
      else this.#freeSlot(run);
    }
    this.#schedule();
  }

  #freeSlot(run: Run): void {
    if (!run.hasSlot) return;
    run.hasSlot = false;
    this.#occupied -= 1;
    if (run.state.phase === 'closed') this.deps.runs.delete(run);
  }

  #closed(runs: readonly Run[]): void {
    for (const run of runs) if (!run.hasSlot) this.deps.runs.delete(run);
    this.#progress.notifyAll();
    if (this.#isHeldBack) this.#schedule();
  }

  /** Resolves when no handler runs, or when the shutdown timeout is over. */
  async #drain(): Promise<void> {
    const { runs, options } = this.deps;
    // A stuck handler whose outcome is stored is not worth waiting for.
    const isDone = (): boolean => ![...runs].some((run) => run.hasSlot && run.state.phase !== 'closed');
    if (isDone()) return;
    await waitUntilDeadline(this.#progress.waitUntil(isDone), { clock: this.clock, limit: options.shutdownTimeout });
  }
}
