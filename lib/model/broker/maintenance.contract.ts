import type { TaskMessage } from '../task/task-message.js';
import type { EpochMs, Ms } from '../time/duration.js';
import type { EnqueueRequest } from './enqueue.contract.js';
import type { CancelOutcome } from './presence.contract.js';
import type { Settlement, SettleOutcome, UndecodableTask } from './work.contract.js';

/** Moves due tasks, takes back lost ones, deletes expired ones, aggregates groups (P-46 to P-54, P-94 to P-102). */
export interface MaintenanceContract {
  /**
   * Takes the maintenance lease of a queue, or keeps it: of all servers of a queue its holder alone does what needs to be
   * done once. It spares Redis work and protects nothing, since maintenance may be done by any number of servers side by
   * side; while it cannot be stored, everybody is told to hold it.
   */
  leaseMaintenance(request: MaintenanceLeaseRequest): Promise<MaintenanceLease>;

  /** Gives up the maintenance lease of a queue; nothing when somebody else holds it. */
  releaseMaintenance(request: { readonly queue: string; readonly owner: string }): Promise<void>;

  /**
   * The earliest instant at which a delayed task of the queue can be due, up to a second before it is; `undefined` when
   * none waits. Cheaper than {@link forwardDue}.
   */
  earliestDue(queue: string): Promise<EpochMs | undefined>;

  /**
   * Moves up to `limit` due tasks of the scheduled and retry sets to pending, earliest due first; a task whose hash
   * names a group goes back to its group. Nothing moves before its millisecond.
   */
  forwardDue(request: {
    readonly queue: string;
    readonly now: EpochMs;
    readonly limit: number;
  }): Promise<ForwardResult>;

  /**
   * Tasks whose lease ended at or before `expiredBy`, oldest first, at most `limit`. Changes nothing, except that
   * messages that do not decode are archived and reported, and that ids without a stored task are dropped.
   */
  listExpiredLeases(request: {
    readonly queue: string;
    readonly expiredBy: EpochMs;
    readonly now: EpochMs;
    readonly limit: number;
  }): Promise<ExpiredLeases>;

  /**
   * Settles tasks on behalf of a lost worker, each only while its lease is exactly the one that was listed:
   * a task that somebody else recovered or extended meanwhile is `not-active`.
   */
  recover(queue: string, recoveries: readonly Recovery[], now: EpochMs): Promise<readonly SettleOutcome[]>;

  /**
   * Deletes up to `limit` completed tasks whose retention has ended, and as many archived ones beyond those that are kept;
   * returns how many, 0 when none is left.
   */
  deleteExpiredCompleted(request: {
    readonly queue: string;
    readonly now: EpochMs;
    readonly limit: number;
  }): Promise<number>;

  /**
   * Compares where tasks are (lists, sets) with what they say (hashes), both ways, one bounded step at a time.
   * What is wrong now is returned as a suspicion. The caller waits a full lease and hands it back as `confirmed`:
   * what is still wrong then is healed.
   */
  reconcile(request: ReconcileRequest): Promise<ReconcileResult>;

  /** Names of the groups that have waiting tasks. */
  listGroups(queue: string): Promise<readonly string[]>;

  /**
   * Moves the oldest members of a group that is ready into a new aggregation set, thousands at most, or tells when it can
   * be ready. What is left is collected by the next calls.
   */
  collectGroup(request: CollectGroupRequest): Promise<GroupCheck>;

  /**
   * The tasks of an aggregation set, oldest first, and when the set expires; `undefined` when it went back to its group
   * or was deleted. Members without a stored task are left out; what does not decode is archived and leaves the set.
   */
  readAggregationSet(request: AggregationSetRequest & { readonly now: EpochMs }): Promise<AggregationSet | undefined>;

  /**
   * Stores the task that stands for a set, in the set's queue, and deletes the set with all its tasks: both or neither,
   * so nothing is lost and nothing aggregated twice, whenever this process dies. Unless `finished` nothing was written;
   * `gone` means that the set went back to its group, or was finished before. Locks that members hold refuse equal tasks
   * until their time is over.
   */
  finishAggregation(request: FinishAggregationRequest): Promise<FinishOutcome>;

  /** Gives the members of a set back to their group before its time is over; nothing when it is gone. */
  returnAggregationSet(request: AggregationSetRequest): Promise<void>;

  /** Deletes a set with all its tasks. Nobody holds their unique locks then. */
  deleteAggregationSet(request: AggregationSetRequest): Promise<void>;

  /** Returns the members of sets past their deadline to their groups; returns how many sets. */
  reclaimAggregationSets(request: { readonly queue: string; readonly now: EpochMs }): Promise<number>;
}

export interface MaintenanceLeaseRequest {
  readonly queue: string;
  /** The server that is to maintain the queue: `host:pid:server-id`. */
  readonly owner: string;
  readonly now: EpochMs;
  readonly length: Ms;
}

/** Who maintains a queue: the server that asked, or another one, for so long unless it asks again. */
export type MaintenanceLease = { readonly kind: 'held' } | { readonly kind: 'taken'; readonly heldFor: Ms };

export interface ForwardResult {
  readonly forwarded: number;
  /** More are due already. */
  readonly more: boolean;
  /** When the next one is due; `undefined` when none waits. */
  readonly nextDueAt: EpochMs | undefined;
}

export interface ExpiredLeases {
  readonly leases: readonly ExpiredLease[];
  readonly undecodable: readonly UndecodableTask[];
  /** When the next lease after `expiredBy` ends unless it is extended; `undefined` when there is none. */
  readonly nextEndsAt: EpochMs | undefined;
}

export interface ExpiredLease {
  readonly message: TaskMessage;
  /** The lease's end as stored, Unix seconds; names this lease in {@link Recovery}. */
  readonly leaseSeconds: number;
  /** `host:pid:server-id` of the worker, when it was one of ours. */
  readonly owner: string | undefined;
  /** What was to become of the task when `cancel` found it running and its worker did not live to do it. */
  readonly canceled: CancelOutcome | undefined;
}

export interface Recovery {
  readonly settlement: Extract<Settlement, { kind: 'retry' | 'archive' | 'delete' | 'requeue' }>;
  readonly leaseSeconds: number;
}

/** What may be wrong with a queue, and how it is healed. */
export type DisorderKind =
  /** In `active` without a lease: gets an ended lease, so that it is recovered. */
  | 'active-without-lease'
  /** Leased, but not in `active`: put back into `active`, or its lease dropped when the task is elsewhere. */
  | 'lease-without-active'
  /** An id in a list or set whose task hash is gone: dropped. */
  | 'id-without-task'
  /** A task hash in no list or set: put where its state says. */
  | 'task-without-place'
  /** An id where its task's state does not say it is: taken out, or the state corrected if it is nowhere else. */
  | 'task-in-wrong-place'
  /** A task hash without a message: deleted, so that its id is free again. */
  | 'task-without-message'
  /** A unique lock whose task is not stored any more: freed. */
  | 'lock-without-task'
  /** A group with members that is not listed: listed again; an aggregation set that nobody knows: given to its group. */
  | 'group-not-listed';

export interface Disorder {
  readonly queue: string;
  readonly kind: DisorderKind;
  /** The task's id, the lock's key, or the group's name; of an aggregation set the group's name, a colon and the set's id. */
  readonly subject: string;
}

export interface ReconcileRequest {
  readonly queues: readonly string[];
  readonly now: EpochMs;
  /** Where the last step stopped; `undefined` starts a new round. */
  readonly cursor: string | undefined;
  /** Suspicions old enough to be acted on. */
  readonly confirmed: readonly Disorder[];
}

export interface ReconcileResult {
  /** Where to go on; `undefined` when the round is complete. */
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
  /** No earlier than at `readyAt`, unless it becomes full; `undefined` when it has no members. */
  | { readonly kind: 'not-ready'; readonly readyAt: EpochMs | undefined };

export interface AggregationSetRequest {
  readonly queue: string;
  readonly group: string;
  readonly setId: string;
}

export interface FinishAggregationRequest extends AggregationSetRequest {
  /** The task that stands for the set; its queue is the set's. */
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
