import type { CancelThen } from '../../model/broker/presence.contract.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import type {
  DeadlineExceededError,
  LeaseExpiredError,
  TaskAbortedError,
  TaskCanceledError,
} from '../../model/errors/task-errors.js';
import type { PayloadCodec } from '../../model/task/payload.codec.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import { type EpochMs, epochMs, type Ms, ms } from '../../model/time/duration.js';
import type { EngineEvents, TaskEventName, TaskSubject } from '../engine-events.js';
import type { Handler } from '../middleware.js';
import { Task, type TaskRun } from './handler-task.js';

/** Why a run was told to stop. */
export type AbortReason = DeadlineExceededError | TaskCanceledError | LeaseExpiredError | TaskAbortedError;

/**
 * Where a run is.
 * - `fetched`: leased, its handler not called yet.
 * - `running`: its handler runs.
 * - `aborted`: told to stop; what the handler decides still counts.
 * - `ended`: its outcome is decided. A handler that ignored its signal may still be running.
 */
export type RunPhase = 'fetched' | 'running' | 'aborted' | 'ended';

/** An event that waits until its outcome is stored. */
export type Announcement = {
  [N in TaskEventName]: { readonly name: N; readonly event: EngineEvents[N] };
}[TaskEventName];

/** What the runs of one server share. */
export interface ExecutionHost {
  readonly codec: PayloadCodec;
  /** A handler returned, while its run was `running` or `aborted`. */
  onSuccess(execution: Execution, returned: unknown): void;
  /** A handler threw or rejected, while its run was `running` or `aborted`. */
  onFailure(execution: Execution, error: unknown): void;
  /** A handler ended after its run was given up: nobody wants its outcome. */
  onLateEnd(execution: Execution, outcome: 'success' | 'failure'): void;
  writeResult(execution: Execution, result: Uint8Array): Promise<boolean>;
}

/** A task as it was fetched. */
export interface RunSource {
  readonly message: TaskMessage;
  readonly queue: string;
  readonly takenAt: EpochMs;
  readonly leaseUntil: EpochMs;
}

/**
 * One run of one task, from its lease to its outcome. Made for every task that is fetched, so it makes nothing else
 * before it is asked: the signal is made when it is read, and no timer belongs to a single run.
 */
export class Execution implements TaskRun {
  readonly message: TaskMessage;
  /** Where it was fetched from; its keys are this queue's, whatever the message says. */
  readonly queue: string;
  phase: RunPhase = 'fetched';
  /** Whether the handler's code has been called and has not ended. */
  handlerRuns = false;
  /** Whether it takes one of the server's slots. */
  hasSlot = true;
  /** Whether the lease is somebody else's business: the outcome is stored, or the lease was lost. */
  isReleased = false;
  /** Whether its outcome was sent once and the answer was lost, or was an error. */
  triedToSettle = false;
  /** When it was fetched. */
  readonly takenAt: EpochMs;
  /** The lease's end as this server last made sure of it; whole seconds. */
  leaseUntil: EpochMs;
  /** The latest end this server ever asked for. */
  leaseAsked: EpochMs;
  startedAt: EpochMs = epochMs(0);
  startedMonotonic: Ms = ms(0);
  deadlineAt: EpochMs = epochMs(0);
  /** When somebody must look at this run: its deadline, later the end of its grace. */
  lookAt: EpochMs = epochMs(0);
  aborted: AbortReason | undefined = undefined;
  /** What `cancel` asked for. */
  cancelThen: CancelThen | undefined = undefined;
  /** Told once the outcome is stored. */
  announcement: Announcement | undefined = undefined;
  /** Ends the wait for the user's error handler. */
  finishNow: (() => void) | undefined = undefined;
  /** Its neighbours in {@link RunningTasks}, which alone writes them. */
  earlier: Execution | undefined = undefined;
  later: Execution | undefined = undefined;
  readonly #host: ExecutionHost;
  #controller: AbortController | undefined = undefined;
  #task: Task | undefined = undefined;

  constructor(host: ExecutionHost, source: RunSource) {
    this.#host = host;
    this.message = source.message;
    this.queue = source.queue;
    this.takenAt = source.takenAt;
    this.leaseUntil = source.leaseUntil;
    this.leaseAsked = source.leaseUntil;
  }

  get codec(): PayloadCodec {
    return this.#host.codec;
  }

  /** The handler's view of this run. */
  get task(): Task {
    return (this.#task ??= new Task(this));
  }

  /** Calls the handler. Its outcome reaches the host at once when the handler is synchronous. */
  start(handler: Handler): void {
    this.phase = 'running';
    this.handlerRuns = true;
    let returned: unknown;
    let later: Promise<unknown> | undefined;
    try {
      returned = handler(this.task);
      // A foreign thenable may throw when it is looked at, or call back twice.
      later = returned instanceof Promise ? returned : isThenable(returned) ? Promise.resolve(returned) : undefined;
    } catch (error) {
      return this.#failed(error);
    }
    if (later === undefined) this.#succeeded(returned);
    else later.then(this.#succeeded, this.#failed);
  }

  /** Tells the handler to stop. It may go on until `graceEnd`; what it decides until then counts. */
  abort(reason: AbortReason, graceEnd: EpochMs): void {
    if (this.aborted !== undefined || this.phase === 'ended') return;
    this.aborted = reason;
    this.phase = 'aborted';
    this.lookAt = graceEnd;
    this.#controller?.abort(reason);
  }

  /** The outcome is decided: whatever the handler still does has no effect. */
  end(): void {
    this.phase = 'ended';
  }

  abortSignal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.aborted !== undefined) this.#controller.abort(this.aborted);
    }
    return this.#controller.signal;
  }

  async storeResult(result: Uint8Array): Promise<void> {
    if (this.aborted !== undefined) throw this.aborted;
    if (this.phase !== 'running') throw new InvalidStateError(`The run of task "${this.message.id}" has ended`);
    if (await this.#host.writeResult(this, result)) return;
    throw new InvalidStateError(`Task "${this.message.id}" is gone, so its result was not stored`);
  }

  readonly #succeeded = (returned: unknown): void => {
    this.handlerRuns = false;
    if (this.phase === 'ended') this.#host.onLateEnd(this, 'success');
    else this.#host.onSuccess(this, returned);
  };

  readonly #failed = (error: unknown): void => {
    this.handlerRuns = false;
    if (this.phase === 'ended') this.#host.onLateEnd(this, 'failure');
    else this.#host.onFailure(this, error);
  };
}

/** What events say of a task; `retried` counts the failure that led to the event. */
export function subjectOf(message: TaskMessage, queue = message.queue): TaskSubject {
  const { id, type, retried, maxRetry } = message;
  return { id, type, queue, retried, maxRetry };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { readonly then?: unknown }).then === 'function'
  );
}
