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

/** The handler is running. */
export interface Running {
  readonly phase: 'running';
  readonly startedAt: EpochMs;
  readonly deadlineAt: EpochMs;
  /** By the monotonic clock; `undefined` if nobody needs the duration. */
  readonly startedMonotonic: Ms | undefined;
}

/**
 * The run was told to stop, maybe before its handler was called. What the handler decides until `graceEnd` still
 * counts.
 */
interface Aborted {
  readonly phase: 'aborted';
  readonly reason: AbortReason;
  /** The outcome that `cancel` asked for. */
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
  /** The outcome that the cancellation asked for. */
  readonly canceled: CancelOutcome | undefined;
  /** Whether the user's error handler has been called; the outcome may be waiting for its promise. */
  readonly isReported: boolean;
}

/** Ended without the handler: no handler here for the type, or the server stops. */
export interface NotRun {
  readonly phase: 'ended';
  readonly how: 'unknown-type' | 'put-back';
}

/** Ended, and the outcome is not decided yet. A handler that ignored its signal may still be running. */
export type Ended = Succeeded | Failed | NotRun;

/** The outcome is decided but not stored yet. */
interface Settling {
  readonly phase: 'settling';
  readonly outcome: Outcome;
  /** Whether it was sent before and the reply was lost or was an error. */
  readonly wasSent: boolean;
}

/**
 * The state of a run; each state holds only data that is valid in it. `fetched`: its handler has not been called yet.
 * `closed`: its outcome is stored, or is no longer of interest here.
 */
export type RunState =
  { readonly phase: 'fetched' } | Running | Aborted | Ended | Settling | { readonly phase: 'closed' };

/**
 * The right to work on the task; `leaseUntil` and `leaseAsked` are whole seconds, as stored. The runs of one fetch
 * share the object, so it costs nothing per task.
 */
export type Lease = OwnLease | { readonly kind: 'lost' };

export interface OwnLease extends RunClaim {
  readonly kind: 'ours';
}
