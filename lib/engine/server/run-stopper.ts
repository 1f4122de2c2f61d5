import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import { DeadlineExceededError, TaskCanceledError } from '../../model/errors/task-errors.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { addMs, elapsed, type EpochMs } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { afterPoll } from '../lifecycle/deadline.js';
import { EarliestTimer } from '../lifecycle/earliest-timer.js';
import type { Service } from '../lifecycle/service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { subjectOf } from '../outcome/event-task.js';
import type { Run } from './run.js';
import type { AbortReason } from './run-state.js';
import type { ResolvedServerOptions } from './server-options.js';

export interface RunStopperDeps {
  readonly runs: Iterable<Run>;
  readonly clock: Clock;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  readonly options: Pick<ResolvedServerOptions, 'abortGrace'>;
}

/**
 * Tells runs to stop: those past their deadline (one timer watches all of them), those that were canceled, and those
 * whose task belongs to another server. A run that does not stop within its grace period is given up.
 *
 * The answer that ends a run may have arrived without having been read. So before a run is told to stop or is given up,
 * the event loop reads what has arrived.
 */
export class RunStopper implements Service {
  readonly name = 'run stopper';
  readonly #timer: EarliestTimer;
  #nextLook: Timer | undefined;

  constructor(private readonly deps: RunStopperDeps) {
    this.#timer = new EarliestTimer({ clock: deps.clock, onFire: (now) => this.#lookAfterPoll(now) });
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Forgets the deadlines of all runs. */
  stop(): Promise<void> {
    this.#timer.cancel();
    this.#nextLook?.cancel();
    return Promise.resolve();
  }

  /** Watches a started run that must have ended by `deadlineAt`. */
  watch(deadlineAt: EpochMs): void {
    this.#timer.fireBy(deadlineAt);
  }

  abort(run: Run, reason: AbortReason, canceled?: CancelOutcome): void {
    const graceEnd = addMs(this.deps.clock.now(), this.deps.options.abortGrace);
    run.abort(reason, { graceEnd, canceled });
    this.#timer.fireBy(graceEnd);
  }

  /** Cancels a run. Without `outcome` it fails, as in Asynq. */
  cancel(run: Run, outcome: CancelOutcome | undefined): void {
    const { state } = run;
    if (state.phase === 'aborted') {
      if (state.reason instanceof TaskCanceledError) run.cancelAgain(outcome);
      return;
    }
    if (!run.isOpen) return;
    this.abort(run, new TaskCanceledError(), outcome);
    this.deps.events.emit('canceled', { task: subjectOf(run) });
  }

  /** Checks for runs that were over by `now`, and no later: for later ones, what had arrived has not been read yet. */
  #lookAfterPoll(now: EpochMs): undefined {
    this.#nextLook?.cancel();
    this.#nextLook = afterPoll(() => {
      const next = this.#look(now);
      if (next !== undefined) this.#timer.fireBy(next);
    });
  }

  /** Checks for runs past their deadline or grace period; returns when to check again. */
  #look(now: EpochMs): EpochMs | undefined {
    let next: EpochMs | undefined;
    for (const run of this.deps.runs) {
      if (!run.handlerRuns) continue;
      if (run.state.phase === 'running' && run.state.deadlineAt <= now) this.abort(run, new DeadlineExceededError());
      const { state } = run;
      if (state.phase !== 'running' && state.phase !== 'aborted') continue;
      const lookAt = state.phase === 'running' ? state.deadlineAt : state.graceEnd;
      if (state.phase === 'aborted' && lookAt <= now) this.#giveUp(run, now);
      else if (next === undefined || lookAt < next) next = lookAt;
    }
    return next;
  }

  #giveUp(run: Run, now: EpochMs): void {
    const task = subjectOf(run);
    const runningFor = elapsed(run.started?.startedAt ?? now, now);
    this.deps.logger.warn(
      `Task "${task.id}" of type "${task.type}" is stuck: its handler ignores its abort signal after ${runningFor} ms`,
      { kind: `stuck ${task.type}` },
    );
    this.deps.events.emit('stuck', { task, runningFor });
    run.fail(undefined);
  }
}
