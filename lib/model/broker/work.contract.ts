import type { AsynqError } from '../errors/asynq-error.js';
import type { TaskMessage } from '../task/task-message.js';
import type { TaskPattern } from '../task/task-pattern.js';
import type { EpochMs, Ms } from '../time/duration.js';
import type { CancelOutcome } from './presence.contract.js';

/** Dequeues tasks, keeps them leased and settles them (P-55 to P-62, P-67 to P-91). */
export interface WorkContract {
  /**
   * Takes up to `limit` tasks from one queue, oldest first, and leases them until `leaseUntil`. A paused queue returns
   * nothing. Ids without a stored task are dropped on the way; messages that do not decode are archived with their
   * reason and reported. With a filter it checks a bounded number of tasks, takes those of the given types, and leaves
   * the others in place. Rejects with a BrokerError when the server cannot be reached or refuses.
   */
  dequeue(request: DequeueRequest): Promise<DequeueResult>;

  /**
   * Extends the leases of running tasks to `leaseUntil`. It never gives a lease to a task that has none, and never
   * touches the lease of a task that was taken again in the meantime, by another server or by the caller itself.
   * Returns which leases no longer belong to the caller, and which tasks were canceled, in case that signal was missed.
   */
  extendLeases(request: ExtendLeasesRequest): Promise<LeaseNews>;

  /**
   * Writes the outcomes of runs, each in one atomic step. Never rejects. `not-active`: the task no longer belongs to
   * this run and nothing was written: it is not active and leased, or it was taken again in the meantime, by another
   * server or by the caller itself. That holds whenever the request arrives.
   */
  settle(request: SettleRequest): Promise<readonly SettleOutcome[]>;

  /**
   * Stores a running task's result, replacing an earlier one. Returns `false` if the task is gone or no longer belongs
   * to this run; nothing was written then.
   */
  writeResult(request: WriteResultRequest): Promise<boolean>;

  /**
   * Waits for a task in a queue on a separate connection: resolves with `task` as soon as there is one, with `none`
   * after `timeout` or when `signal` aborts, and with `busy` at once when no connection is left to wait on (the caller
   * then polls). Changes nothing. Ignores pauses: a paused queue may have tasks, so a caller that finds it paused must
   * not wait on it.
   */
  waitForTask(request: WaitRequest): Promise<'task' | 'none' | 'busy'>;

  /**
   * Returns which of these queues have pending tasks, paused ones included, and those that cannot be checked: fetching
   * from them says why. Checks many queues with one command; on a cluster it takes one command per queue.
   */
  findWithTasks(queues: readonly string[]): Promise<readonly string[]>;

  /** Returns whether a queue is paused. */
  isPaused(queue: string): Promise<boolean>;
}

export interface DequeueRequest {
  readonly queue: string;
  readonly limit: number;
  readonly now: EpochMs;
  /** Stored in whole seconds. */
  readonly leaseUntil: EpochMs;
  /**
   * The server that takes the tasks: `host:pid:server-id`. From it, others see at once that its tasks have lost
   * their owner.
   */
  readonly owner: string;
  /** Only tasks of some types are taken. */
  readonly filter?: TypeFilter | undefined;
}

/** Which types of tasks a server takes. */
export interface TypeFilter {
  readonly patterns: readonly TaskPattern[];
  /** Types that are left although a pattern matches them. */
  readonly except: ReadonlySet<string>;
  /**
   * Where an earlier fetch ended, from {@link LeftTasks.lookedUpTo}: older tasks have been checked, so this fetch
   * begins after it. The {@link oldestLookedAt oldest} are checked every time.
   */
  readonly lookedUpTo: string | undefined;
}

/** How many of the oldest tasks every fetch with a filter checks first: other servers put tasks back at the head. */
export const oldestLookedAt = 20;
/** How many further tasks a fetch with a filter checks at most. */
export const maxLookedAt = 1_000;
/** How many types of left tasks a fetch with a filter returns at most. */
export const maxTypesNamed = 10;

export interface DequeueResult {
  readonly messages: readonly TaskMessage[];
  readonly undecodable: readonly UndecodableTask[];
  /**
   * `some`: there may be more; `drained`: the queue is empty now; `paused`: it returns nothing until resumed; `others`:
   * it has only tasks of types that the filter does not take.
   */
  readonly left: 'some' | 'drained' | 'paused' | 'others';
  /** What a fetch with a filter left in the queue; `undefined` if it left nothing. */
  readonly others?: LeftTasks | undefined;
}

/** Tasks that a fetch with a filter left in the queue. */
export interface LeftTasks {
  /** Types of some of them. */
  readonly types: readonly string[];
  /** Where the fetch ended; for {@link TypeFilter.lookedUpTo} of the next one. */
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
  /** The server that took the tasks, as passed to {@link WorkContract.dequeue}. */
  readonly owner: string;
  readonly leases: readonly HeldLease[];
  readonly leaseUntil: EpochMs;
}

/** A lease as its holder knows it. */
export interface HeldLease {
  readonly taskId: string;
  /** The latest end that the holder ever asked for, whether or not a reply came; in whole seconds. */
  readonly until: EpochMs;
  /** The `now` of the dequeue that took the task; distinguishes this lease from a later one. */
  readonly takenAt: EpochMs;
}

/** Identifies a run of a task: what its holder knows about its lease. */
export interface RunClaim {
  /** The `now` of the dequeue that took the task. */
  readonly takenAt: EpochMs;
  /** The lease's end as last confirmed to the holder: before that instant nobody else takes the task. */
  readonly leaseUntil: EpochMs;
  /** The latest end that the holder ever asked for, whether or not a reply came: a later one belongs to another run. */
  readonly leaseAsked: EpochMs;
}

export interface SettleRequest {
  readonly queue: string;
  /** The server that took the tasks, as passed to {@link WorkContract.dequeue}. */
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
  /** The server that took the task, as passed to {@link WorkContract.dequeue}. */
  readonly owner: string;
  readonly taskId: string;
  readonly result: Uint8Array;
}

export interface LeaseNews {
  /** Ids that no longer belong to the caller. */
  readonly lost: readonly string[];
  readonly canceled: readonly { readonly taskId: string; readonly outcome: CancelOutcome }[];
}

export interface WaitRequest {
  readonly queue: string;
  readonly timeout: Ms;
  readonly signal: AbortSignal;
}

/** How a run ended, ready to be written. It is plain data, so that it can be written again after a failure. */
export type Settlement =
  /** Success without retention, or revoked: the task is deleted and its unique lock freed. */
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
  /** Canceled for good by a user: the task is deleted and its unique lock freed; nothing is counted. */
  | { readonly kind: 'delete'; readonly message: TaskMessage }
  /** Back to the head of its queue; nothing is counted. Of several in one call, the first is dequeued first. */
  | { readonly kind: 'requeue'; readonly message: TaskMessage }
  /** Into the scheduled set; nothing is counted. */
  | { readonly kind: 'snooze'; readonly message: TaskMessage; readonly until: EpochMs };

export type SettleOutcome = 'settled' | 'not-active' | AsynqError;
