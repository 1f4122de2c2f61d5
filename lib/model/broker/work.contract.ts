import type { AsynqError } from '../errors/asynq-error.js';
import type { TaskMessage } from '../task/task-message.js';
import type { TaskPattern } from '../task/task-pattern.js';
import type { EpochMs, Ms } from '../time/duration.js';
import type { CancelOutcome } from './presence.contract.js';

/** Dequeues tasks, keeps them leased and settles them (P-55 to P-62, P-67 to P-91). */
export interface WorkContract {
  /**
   * Takes up to `limit` tasks from one queue, oldest first, and leases them until `leaseUntil`.
   * A paused queue gives nothing. Ids without a stored task are dropped on the way; messages that do not decode
   * are archived with their reason and reported. With a filter it looks at a bounded number of tasks, takes those of the
   * types asked for, and leaves the others where they are.
   * Rejects with a BrokerError when the server cannot be reached or refuses.
   */
  dequeue(request: DequeueRequest): Promise<DequeueResult>;

  /**
   * Moves the leases of running tasks to `leaseUntil`. Never gives a lease to a task that has none, and never touches
   * one of a task that was taken anew meanwhile, by somebody else or by the caller itself.
   * Tells which are no longer the caller's, and which were canceled, in case the signal of that was missed.
   */
  extendLeases(request: ExtendLeasesRequest): Promise<LeaseNews>;

  /**
   * Writes the outcomes of runs, each in one atomic step. Never rejects.
   * `not-active`: the task is no longer this run's to settle and nothing was written for it: it is not active and leased,
   * or it was taken anew meanwhile, by somebody else or by the caller itself. That holds whenever the request arrives.
   */
  settle(request: SettleRequest): Promise<readonly SettleOutcome[]>;

  /**
   * Stores a running task's result, replacing an earlier one; `false` when the task is gone or no longer this run's,
   * and nothing was written.
   */
  writeResult(request: WriteResultRequest): Promise<boolean>;

  /**
   * A blocking look at a queue on a connection of its own: resolves with `task` as soon as there is one,
   * with `none` after `timeout` or when `signal` aborts, and with `busy` at once when no connection is left to wait on
   * (the caller polls then). Changes nothing, and knows nothing of pauses: a paused queue may have tasks, so who finds one
   * paused must not wait on it.
   */
  waitForTask(request: WaitRequest): Promise<'task' | 'none' | 'busy'>;

  /**
   * Which of these queues have pending tasks, paused ones included: a look at many queues that are mostly empty, at the
   * price of one. On a cluster it costs a command for each.
   */
  findWithTasks(queues: readonly string[]): Promise<readonly string[]>;

  /** Whether a queue is paused. */
  isPaused(queue: string): Promise<boolean>;
}

export interface DequeueRequest {
  readonly queue: string;
  readonly limit: number;
  readonly now: EpochMs;
  /** Written in whole seconds. */
  readonly leaseUntil: EpochMs;
  /** The server that takes the tasks: `host:pid:server-id`. Lets others see at once that its tasks lost their owner. */
  readonly owner: string;
  /** Takes tasks of some types only. */
  readonly filter?: TypeFilter | undefined;
}

/** Which types of tasks a server takes. */
export interface TypeFilter {
  readonly patterns: readonly TaskPattern[];
  /** Types that are left though a pattern matches them. */
  readonly except: ReadonlySet<string>;
  /**
   * Where an earlier look has ended, as it said in {@link LeftTasks.lookedUpTo}: what is older has been looked at, so
   * this look begins behind it. The {@link oldestLookedAt oldest} are looked at every time.
   */
  readonly lookedUpTo: string | undefined;
}

/** How many of the oldest tasks every look with a filter begins with: other servers put tasks back to the head. */
export const oldestLookedAt = 20;
/** How many further tasks a look with a filter goes through at most. */
export const maxLookedAt = 1_000;
/** How many types of the tasks that it left a look with a filter names at most. */
export const maxTypesNamed = 10;

export interface DequeueResult {
  readonly messages: readonly TaskMessage[];
  readonly undecodable: readonly UndecodableTask[];
  /**
   * `some`: there may be more; `drained`: the queue is empty now; `paused`: it gives nothing until resumed; `others`:
   * it has tasks, all of types that the filter does not take.
   */
  readonly left: 'some' | 'drained' | 'paused' | 'others';
  /** What a look with a filter has left in the queue; `undefined` when it left nothing. */
  readonly others?: LeftTasks | undefined;
}

/** Tasks that a look with a filter has left in the queue. */
export interface LeftTasks {
  /** Types of some of them. */
  readonly types: readonly string[];
  /** Where the look has ended; for {@link TypeFilter.lookedUpTo} of the next. */
  readonly lookedUpTo: string;
}

/** A task whose stored record does not decode. It has been archived. */
export interface UndecodableTask {
  readonly queue: string;
  readonly taskId: string;
  readonly reason: string;
}

export interface ExtendLeasesRequest {
  readonly queue: string;
  /** The server that took the tasks, as it was told to {@link WorkContract.dequeue}. */
  readonly owner: string;
  readonly leases: readonly HeldLease[];
  readonly leaseUntil: EpochMs;
}

/** A lease as its holder knows it. */
export interface HeldLease {
  readonly taskId: string;
  /** The latest end the holder ever asked for, whether or not the answer came; whole seconds count. */
  readonly until: EpochMs;
  /** The `now` of the dequeue that took the task; tells this lease from one that was taken later. */
  readonly takenAt: EpochMs;
}

/** Which run of a task speaks: what its holder knows of its lease. */
export interface RunClaim {
  /** The `now` of the dequeue that took the task. */
  readonly takenAt: EpochMs;
  /** The lease's end as the holder last made sure of it: before that instant nobody else takes the task. */
  readonly leaseUntil: EpochMs;
  /** The latest end the holder ever asked for, whether or not the answer came: a later one is somebody else's. */
  readonly leaseAsked: EpochMs;
}

export interface SettleRequest {
  readonly queue: string;
  /** The server that took the tasks, as it was told to {@link WorkContract.dequeue}. */
  readonly owner: string;
  readonly settlements: readonly ClaimedSettlement[];
  readonly now: EpochMs;
}

/** How a run ended, and which run it was. */
export interface ClaimedSettlement extends RunClaim {
  readonly settlement: Settlement;
}

export interface WriteResultRequest extends RunClaim {
  readonly queue: string;
  /** The server that took the task, as it was told to {@link WorkContract.dequeue}. */
  readonly owner: string;
  readonly taskId: string;
  readonly result: Uint8Array;
}

export interface LeaseNews {
  /** Ids that are no longer the caller's. */
  readonly lost: readonly string[];
  readonly canceled: readonly { readonly taskId: string; readonly outcome: CancelOutcome }[];
}

export interface WaitRequest {
  readonly queue: string;
  readonly timeout: Ms;
  readonly signal: AbortSignal;
}

/** How a run ended, ready to be written: data, so that it can be written again after a hiccup. */
export type Settlement =
  /** Success without retention, or revoked: the task is gone, its unique lock is freed. */
  | { readonly kind: 'done'; readonly message: TaskMessage }
  /** Success with retention; the message carries `completedAtSeconds`. A result replaces a stored one. */
  | {
      readonly kind: 'complete';
      readonly message: TaskMessage;
      readonly expiresAt: EpochMs;
      readonly result: Uint8Array | undefined;
    }
  /** The message carries the new `retried`, `errorMessage` and `lastFailedAtSeconds`. */
  | {
      readonly kind: 'retry';
      readonly message: TaskMessage;
      readonly retryAt: EpochMs;
      /** Whether processed and failed are counted. */
      readonly counts: 'as-failure' | 'not';
    }
  | { readonly kind: 'archive'; readonly message: TaskMessage }
  /** Canceled for good by a user: hash and lock are gone, nothing is counted. */
  | { readonly kind: 'delete'; readonly message: TaskMessage }
  /** Back to the head of its queue, nothing is counted. Of several in one call the first is dequeued first. */
  | { readonly kind: 'requeue'; readonly message: TaskMessage }
  /** Into the scheduled set, nothing is counted. */
  | { readonly kind: 'snooze'; readonly message: TaskMessage; readonly until: EpochMs };

export type SettleOutcome = 'settled' | 'not-active' | AsynqError;
