import type { TaskMessage } from '../task/task-message.js';
import type { EpochMs, Ms } from '../time/duration.js';
import type { EnqueueRequest } from './enqueue.contract.js';
import type { CancelOutcome } from './presence.contract.js';
import type { Settlement, SettleOutcome, UndecodableTask } from './work.contract.js';

/** Moves due tasks, recovers lost ones, deletes expired ones, aggregates groups (P-46 to P-54, P-94 to P-102). */
export interface MaintenanceContract {
  /**
   * Takes or renews the maintenance lease of a queue: of all its servers, only the holder does what needs to be done
   * once. The lease only saves work, since any number of servers may maintain a queue at the same time; while it cannot
   * be stored, every server is told that it holds it.
   */
  leaseMaintenance(request: MaintenanceLeaseRequest): Promise<MaintenanceLease>;

  /** Releases the maintenance lease of a queue; does nothing if another server holds it. */
  releaseMaintenance(request: { readonly queue: string; readonly owner: string }): Promise<void>;

  /**
   * Returns the earliest instant at which a delayed task of the queue can be due, up to a second before it is;
   * `undefined` if none waits. Cheaper than {@link forwardDue}.
   */
  earliestDue(queue: string): Promise<EpochMs | undefined>;

  /**
   * Moves up to `limit` due tasks of the scheduled and retry sets to pending, earliest due first. A task whose hash
   * names a group joins its group. Nothing moves before its due millisecond.
   */
  forwardDue(request: {
    readonly queue: string;
    readonly now: EpochMs;
    readonly limit: number;
  }): Promise<ForwardResult>;

  /**
   * Lists tasks whose lease ended at or before `expiredBy`, oldest first, at most `limit`. Changes nothing, except that
   * messages that do not decode are archived and reported, and that ids without a stored task are dropped.
   */
  listExpiredLeases(request: {
    readonly queue: string;
    readonly expiredBy: EpochMs;
    readonly now: EpochMs;
    readonly limit: number;
  }): Promise<ExpiredLeases>;

  /**
   * Settles tasks on behalf of a lost worker, each only while its lease is exactly the one that was listed: a task that
   * was recovered or extended in the meantime is `not-active`.
   */
  recover(queue: string, recoveries: readonly Recovery[], now: EpochMs): Promise<readonly SettleOutcome[]>;

  /**
   * Deletes up to `limit` completed tasks whose retention has ended, and as many archived ones beyond the limits;
   * returns how many, 0 when none is left.
   */
  deleteExpiredCompleted(request: {
    readonly queue: string;
    readonly now: EpochMs;
    readonly limit: number;
  }): Promise<number>;

  /**
   * Compares where tasks are (lists, sets) with what they say (hashes), in both directions, one bounded step at a time.
   * What is inconsistent now is returned as a suspicion. The caller waits a full lease and passes it back as
   * `confirmed`: what is still inconsistent then is healed.
   */
  reconcile(request: ReconcileRequest): Promise<ReconcileResult>;

  /** Returns the names of the groups that have waiting tasks. */
  listGroups(queue: string): Promise<readonly string[]>;

  /**
   * Moves the oldest members of a ready group into a new aggregation set, at most a few thousand, or returns when the
   * group can be ready. The next calls collect the rest.
   */
  collectGroup(request: CollectGroupRequest): Promise<GroupCheck>;

  /**
   * Returns the tasks of an aggregation set, oldest first, and when the set expires; `undefined` if it went back to its
   * group or was deleted. Members without a stored task are left out; those that do not decode are archived and leave
   * the set.
   */
  readAggregationSet(request: AggregationSetRequest & { readonly now: EpochMs }): Promise<AggregationSet | undefined>;

  /**
   * Stores the combined task of a set in the set's queue, and deletes the set with all its tasks: both or neither, so
   * nothing is lost or aggregated twice, whenever this process dies. Unless `finished`, nothing was written; `gone`
   * means that the set went back to its group, or was finished before. Locks that members hold refuse equal tasks until
   * they expire.
   */
  finishAggregation(request: FinishAggregationRequest): Promise<FinishOutcome>;

  /** Returns the members of a set to their group before its deadline; does nothing if the set is gone. */
  returnAggregationSet(request: AggregationSetRequest): Promise<void>;

  /** Deletes a set with all its tasks, which no longer hold their unique locks. */
  deleteAggregationSet(request: AggregationSetRequest): Promise<void>;

  /** Returns the members of sets past their deadline to their groups; returns how many sets. */
  reclaimAggregationSets(request: { readonly queue: string; readonly now: EpochMs }): Promise<number>;
}

export interface MaintenanceLeaseRequest {
  readonly queue: string;
  /** The server that asks: `host:pid:server-id`. */
  readonly owner: string;
  readonly now: EpochMs;
  readonly length: Ms;
}

/** Who maintains a queue: the server that asked, or another one, for `heldFor` unless it renews its lease. */
export type MaintenanceLease = { readonly kind: 'held' } | { readonly kind: 'taken'; readonly heldFor: Ms };

export interface ForwardResult {
  readonly forwarded: number;
  /** Whether more are already due. */
  readonly more: boolean;
  /** When the next one is due; `undefined` if none waits. */
  readonly nextDueAt: EpochMs | undefined;
}

export interface ExpiredLeases {
  readonly leases: readonly ExpiredLease[];
  readonly undecodable: readonly UndecodableTask[];
  /** When the next lease after `expiredBy` ends unless it is extended; `undefined` if there is none. */
  readonly nextEndsAt: EpochMs | undefined;
}

export interface ExpiredLease {
  readonly message: TaskMessage;
  /** The lease's end as stored, in Unix seconds; identifies this lease in {@link Recovery}. */
  readonly leaseSeconds: number;
  /** `host:pid:server-id` of the worker, if it was one of ours. */
  readonly owner: string | undefined;
  /** The outcome that `cancel` asked for while the task was running, if its worker died before applying it. */
  readonly canceled: CancelOutcome | undefined;
}

export interface Recovery {
  readonly settlement: Extract<Settlement, { kind: 'retry' | 'archive' | 'delete' | 'requeue' }>;
  readonly leaseSeconds: number;
}

/** The possible inconsistencies of a queue, and how they are healed. */
export type DisorderKind =
  /** In `active` without a lease: gets an expired lease, so that it is recovered. */
  | 'active-without-lease'
  /** Leased, but not in `active`: put back into `active`, or the lease is dropped if the task is elsewhere. */
  | 'lease-without-active'
  /** An id in a list or set whose task hash is gone: dropped. */
  | 'id-without-task'
  /** A task hash in no list or set: put where its state says. */
  | 'task-without-place'
  /** An id in a place that contradicts its task's state: removed, or the state is corrected if it is nowhere else. */
  | 'task-in-wrong-place'
  /** A task hash without a message: deleted, so that its id is free again. */
  | 'task-without-message'
  /** A unique lock whose task is no longer stored: freed. */
  | 'lock-without-task'
  /** A group with members that is not listed: listed again; an unknown aggregation set: returned to its group. */
  | 'group-not-listed';

export interface Disorder {
  readonly queue: string;
  readonly kind: DisorderKind;
  /**
   * The task's id, the lock's key, or the group's name; for an aggregation set the group's name, a colon and the set's
   * id.
   */
  readonly subject: string;
}

export interface ReconcileRequest {
  readonly queues: readonly string[];
  readonly now: EpochMs;
  /** Where the last step stopped; `undefined` starts a new round. */
  readonly cursor: string | undefined;
  /** Suspicions old enough to act on. */
  readonly confirmed: readonly Disorder[];
}

export interface ReconcileResult {
  /** Where to continue; `undefined` when the round is complete. */
  readonly cursor: string | undefined;
  readonly suspicions: readonly Disorder[];
  readonly healed: readonly Disorder[];
}

export interface CollectGroupRequest {
  readonly queue: string;
  readonly group: string;
  readonly now: EpochMs;
  /** 0 means no limit. */
  readonly maxSize: number;
  /** 0 means no limit. */
  readonly maxDelay: Ms;
  readonly gracePeriod: Ms;
}

/** Whether a group was ready. */
export type GroupCheck =
  | { readonly kind: 'collected'; readonly setId: string }
  /** Not before `readyAt`, unless it becomes full; `undefined` if it has no members. */
  | { readonly kind: 'not-ready'; readonly readyAt: EpochMs | undefined };

export interface AggregationSetRequest {
  readonly queue: string;
  readonly group: string;
  readonly setId: string;
}

export interface FinishAggregationRequest extends AggregationSetRequest {
  /** The combined task of the set; its queue is the set's. */
  readonly combined: EnqueueRequest;
  /** The unique locks that messages of the set name. */
  readonly locks: readonly string[];
  readonly now: EpochMs;
}

export type FinishOutcome = 'finished' | 'gone' | 'duplicate' | 'id-conflict';

export interface AggregationSet {
  readonly messages: readonly TaskMessage[];
  readonly undecodable: readonly UndecodableTask[];
  readonly expiresAt: EpochMs;
}
