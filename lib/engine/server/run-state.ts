import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import type { RunClaim } from '../../model/broker/work.contract.js';
import type {
  DeadlineExceededError,
  LeaseExpiredError,
  TaskAbortedError,
  TaskCanceledError,
} from '../../model/errors/task-errors.js';
import type { EpochMs, Ms } from '../../model/time/duration.js';
import type { Outcome } from '../outcome/outcome.js';

/** Why a run was told to stop. */
export type AbortReason = DeadlineExceededError | TaskCanceledError | LeaseExpiredError | TaskAbortedError;

/** Its handler runs. */
export interface Running {
  readonly phase: 'running';
  readonly startedAt: EpochMs;
  readonly deadlineAt: EpochMs;
  /** By the monotonic clock; `undefined` when nobody wants to know how long it took. */
  readonly startedMonotonic: Ms | undefined;
}

/** Told to stop, maybe before its handler was called. What the handler decides until `graceEnd` still counts. */
interface Aborted {
  readonly phase: 'aborted';
  readonly reason: AbortReason;
  /** What `cancel` asked for. */
  readonly canceled: CancelOutcome | undefined;
  readonly graceEnd: EpochMs;
  readonly started: Running | undefined;
}

/** The handler returned. */
interface Succeeded {
  readonly phase: 'ended';
  readonly how: 'success';
  readonly returned: unknown;
  readonly startedAt: EpochMs;
  readonly took: Ms | undefined;
}

/** The handler threw, or was stopped. */
interface Failed {
  readonly phase: 'ended';
  readonly how: 'failure';
  readonly error: unknown;
  /** What the cancellation that stopped it asked for. */
  readonly canceled: CancelOutcome | undefined;
  /** Whether the user's error handler has been called; the outcome may be waiting for its promise. */
  readonly isReported: boolean;
}

/** Over without the handler: no handler here knows the type, or the server stops. */
export interface NotRun {
  readonly phase: 'ended';
  readonly how: 'unknown-type' | 'put-back';
}

/** Over, and what is to be written is not decided yet. A handler that ignored its signal may still be running. */
export type Ended = Succeeded | Failed | NotRun;

/** Decided, and not stored yet. */
interface Settling {
  readonly phase: 'settling';
  readonly outcome: Outcome;
  /** Whether it was sent before and the answer was lost, or was an error. */
  readonly wasSent: boolean;
}

/**
 * Where a run is; each state holds what is true in it and nothing else. `fetched`: its handler is not called yet.
 * `closed`: its outcome is stored, or is nobody's business here any more.
 */
export type RunState =
  { readonly phase: 'fetched' } | Running | Aborted | Ended | Settling | { readonly phase: 'closed' };

/**
 * The right to work on the task; `leaseUntil` and `leaseAsked` are whole seconds, as they are stored. The runs of one
 * fetch share the object, so it costs nothing per task.
 */
export type Lease = OwnLease | { readonly kind: 'lost' };

export interface OwnLease extends RunClaim {
  readonly kind: 'ours';
}
