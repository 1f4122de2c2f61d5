import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import { assertNever } from '../../model/errors/asynq-error.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import { TaskAbortedError } from '../../model/errors/task-errors.js';
import { isThenable } from '../../model/options/user-callback.js';
import { isHandlersDecision } from '../../model/retry/failure-directive.js';
import type { PayloadCodec } from '../../model/task/payload.codec.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { Clock } from '../../model/time/clock.js';
import { type EpochMs, epochMs, ms } from '../../model/time/duration.js';
import type { Handler } from '../middleware.js';
import type { Outcome } from '../outcome/outcome.js';
import { Task, type RunHandle } from './handler-task.js';
import type { AbortReason, Ended, Lease, NotRun, Running, RunState } from './run-state.js';

/** Receives the notifications of a run. */
export interface RunHost {
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  /** Called when the run has ended. */
  ended(run: Run): void;
  /** Called when a handler ends whose outcome no longer counts. */
  endedLate(run: Run, outcome: 'success' | 'failure'): void;
  writeResult(run: Run, result: Uint8Array): Promise<boolean>;
}

const fetched: RunState = { phase: 'fetched' };
const closed: RunState = { phase: 'closed' };
const unknownType: NotRun = { phase: 'ended', how: 'unknown-type' };
const returnedByStop: NotRun = { phase: 'ended', how: 'put-back' };

/**
 * One run of one task, from its lease to its outcome. Only its methods change its state. It is created for every
 * fetched task, so it creates nothing else before it is needed: the abort signal is created when it is read, and no run
 * has its own timer.
 */
export class Run implements RunHandle {
  readonly message: TaskMessage;
  /** The queue it was fetched from; its keys are this queue's, whatever the message says. */
  readonly queue: string;
  /** Written only by the LeaseKeeper. */
  lease: Lease;
  /** Whether it occupies one of the server's slots; written only by the Processor. */
  hasSlot = true;
  /** Its neighbors in the RunList, written only by the list. */
  earlier: Run | undefined = undefined;
  later: Run | undefined = undefined;
  readonly #host: RunHost;
  #state: RunState = fetched;
  /** Whether the handler was called and has not ended, whatever the state of the run. */
  #handlerRuns = false;
  #controller: AbortController | undefined = undefined;
  #task: Task | undefined = undefined;

  constructor(host: RunHost, source: { readonly message: TaskMessage; readonly queue: string; readonly lease: Lease }) {
    this.#host = host;
    this.message = source.message;
    this.queue = source.queue;
    this.lease = source.lease;
  }

  get state(): RunState {
    return this.#state;
  }

  get handlerRuns(): boolean {
    return this.#handlerRuns;
  }

  get codec(): PayloadCodec {
    return this.#host.codec;
  }

  /** The handler's view of this run. */
  get task(): Task {
    return (this.#task ??= new Task(this, epochMs(0)));
  }

  /** When its handler was started and must have ended; `undefined` if it was told to stop before. */
  get started(): { readonly startedAt: EpochMs; readonly deadlineAt: EpochMs } | undefined {
    const state = this.#state;
    return state.phase === 'running' ? state : state.phase === 'aborted' ? state.started : undefined;
  }

  /** Whether the outcome is still open, so that its lease and its handler matter. */
  get isOpen(): boolean {
    const { phase } = this.#state;
    return phase === 'fetched' || phase === 'running' || phase === 'aborted';
  }

  /** Calls the handler. */
  start(
    handler: Handler,
    run: { readonly now: EpochMs; readonly deadlineAt: EpochMs; readonly measured: boolean },
  ): void {
    const { now, deadlineAt, measured } = run;
    const startedMonotonic = measured ? this.#host.clock.monotonic() : undefined;
    this.#state = { phase: 'running', startedAt: now, deadlineAt, startedMonotonic };
    this.#task = new Task(this, deadlineAt);
    this.#handlerRuns = true;
    let returned: unknown;
    let later: Promise<unknown> | undefined;
    try {
      returned = handler(this.#task);
      // A foreign thenable may throw when it is inspected, or call back twice.
      later = returned instanceof Promise ? returned : isThenable(returned) ? Promise.resolve(returned) : undefined;
    } catch (error) {
      return this.#threw(error);
    }
    if (later === undefined) return this.#returned(returned);
    later.then(
      (value) => this.#returned(value),
      (error: unknown) => this.#threw(error),
    );
  }

  /** Tells the handler to stop; does nothing if it was already told or has ended. */
  abort(
    reason: AbortReason,
    then: { readonly graceEnd: EpochMs; readonly canceled?: CancelOutcome | undefined },
  ): void {
    const state = this.#state;
    if (state.phase !== 'fetched' && state.phase !== 'running') return;
    const { graceEnd, canceled } = then;
    const started = state.phase === 'running' ? state : undefined;
    this.#state = { phase: 'aborted', reason, canceled, graceEnd, started };
    // The signal stays aborted as long as the handler runs, which may be longer than the run.
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  /** Adds the outcome of a second cancellation if the first had none. */
  cancelAgain(canceled: CancelOutcome | undefined): void {
    const state = this.#state;
    if (state.phase === 'aborted') this.#state = { ...state, canceled: state.canceled ?? canceled };
  }

  /** Fails the run without waiting for the handler; the error is the reason why it was told to stop, if it was. */
  fail(error: unknown): void {
    const state = this.#state;
    if (state.phase === 'aborted') this.#fail(state.reason, state.canceled);
    else this.#fail(error, undefined);
  }

  /** Returns the task to its queue for a worker that has a handler for its type. */
  returnUnknown(): void {
    this.#end(unknownType);
  }

  /** Puts the task back at the head of its queue because the server stops. A run that was told to stop before fails. */
  putBack(now: EpochMs): void {
    const state = this.#state;
    if (state.phase === 'aborted') return this.#fail(state.reason, state.canceled);
    this.abort(new TaskAbortedError(), { graceEnd: now });
    this.#end(returnedByStop);
  }

  /** Notes that the user's error handler was called. */
  reported(): void {
    const state = this.#state;
    if (state.phase === 'ended' && state.how === 'failure') this.#state = { ...state, isReported: true };
  }

  /** Sets the decided outcome, which is to be stored. */
  settle(outcome: Outcome): this {
    this.#state = { phase: 'settling', outcome, wasSent: false };
    return this;
  }

  /** Notes that the outcome was sent, and that it is unknown whether it was stored. */
  sent(): void {
    const state = this.#state;
    if (state.phase === 'settling' && !state.wasSent) this.#state = { ...state, wasSent: true };
  }

  /** Closes the run: its outcome is stored, or there is none to store. */
  close(): void {
    this.#state = closed;
  }

  abortSignal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  async storeResult(result: Uint8Array): Promise<void> {
    this.#controller?.signal.throwIfAborted();
    if (this.#state.phase !== 'running') throw new InvalidStateError(`The run of task "${this.message.id}" has ended`);
    if (await this.#host.writeResult(this, result)) return;
    throw new InvalidStateError(`Task "${this.message.id}" is gone, so its result was not stored`);
  }

  #returned(returned: unknown): void {
    this.#handlerRuns = false;
    const state = this.#state;
    if (state.phase !== 'running' && state.phase !== 'aborted') return this.#host.endedLate(this, 'success');
    if (this.lease.kind === 'lost') {
      this.#host.endedLate(this, 'success');
      return this.fail(undefined);
    }
    const { startedAt, startedMonotonic } = (state.phase === 'running' ? state : state.started) as Running;
    const took = startedMonotonic === undefined ? undefined : ms(this.#host.clock.monotonic() - startedMonotonic);
    this.#end({ phase: 'ended', how: 'success', returned, startedAt, took });
  }

  #threw(error: unknown): void {
    this.#handlerRuns = false;
    const state = this.#state;
    switch (state.phase) {
      case 'running':
        return this.#fail(error, undefined);
      case 'aborted':
        // The handler's own decision overrides the reason of the stop, as long as the task is ours.
        if (this.lease.kind === 'ours' && isHandlersDecision(error)) return this.#fail(error, undefined);
        return this.#fail(state.reason, state.canceled);
      case 'ended':
      case 'settling':
      case 'closed':
        return this.#host.endedLate(this, 'failure');
      case 'fetched':
        return;
      default:
        return assertNever(state);
    }
  }

  #fail(error: unknown, canceled: CancelOutcome | undefined): void {
    this.#end({ phase: 'ended', how: 'failure', error, canceled, isReported: false });
  }

  #end(state: Ended): void {
    this.#state = state;
    this.#host.ended(this);
  }
}
