import type { TickOutcome } from '../model/broker/schedule.contract.js';
import type { CancelOutcome } from '../model/broker/presence.contract.js';
import type { RunClaim } from '../model/broker/work.contract.js';
import type { ServerInfo, WorkerInfo } from '../model/broker/presence.js';
import type { PublishedSchedule, ScheduleEvent } from '../model/cron/published-schedule.js';
import type { TaskState } from '../model/task/task-state.js';
import { type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import { ExpiringMap } from './expiring-map.js';
import { IdList } from './id-list.js';
import { MemorySignals } from './memory-signals.js';
import { ScoredIds, type Ties } from './scored-ids.js';

/**
 * Everything that the brokers of one process share, as processes share a Redis: queues with their tasks, unique locks,
 * what servers and schedulers publish, and the signals between them. It exists only in this process and ends with it.
 *
 * @example
 * const store = new MemoryStore();
 * const producer = new MemoryBroker({ store, clock });
 * const worker = new MemoryBroker({ store, clock });
 */
export class MemoryStore {
  /** Every queue that was ever used, by name. */
  readonly queues = new Map<string, MemoryQueue>();
  /** Names of the queues that others see: those a task was enqueued to. */
  readonly knownQueues = new Set<string>();
  /** The holders of unique locks, by the lock's full key (P-21). */
  readonly locks = new ExpiringMap<LockHolder>();
  /** What servers publish of themselves, by `host:pid:server-id`. */
  readonly servers = new ExpiringMap<PublishedServer>();
  /** What schedulers publish, by `host:pid:scheduler-id`. */
  readonly schedulers = new ExpiringMap<readonly PublishedSchedule[]>();
  /** Who maintains a queue (`host:pid:server-id`), by the queue's name. */
  readonly maintenance = new ExpiringMap<string>();
  /** The newest firings of a schedule entry, oldest first, by the entry's id. */
  readonly histories = new ExpiringMap<readonly ScheduleEvent[]>();
  readonly signals = new MemorySignals();

  /** `ties`: which of two tasks goes first where the same second or instant is noted of both. Default as in Redis. */
  constructor(private readonly ties: Ties = 'by-name') {}

  /** Returns a queue; creates it at the first call. */
  queue(name: string): MemoryQueue {
    const known = this.queues.get(name);
    if (known !== undefined) return known;
    const queue = new MemoryQueue(name, { signals: this.signals, ties: this.ties });
    this.queues.set(name, queue);
    return queue;
  }

  /** Frees a unique lock, but only one that this very task holds. */
  releaseLock(lock: string | undefined, taskId: string): void {
    if (lock !== undefined && this.locks.peek(lock)?.taskId === taskId) this.locks.delete(lock);
  }

  /** Keeps a unique lock for its whole time if one of these tasks holds it, though they are about to vanish. */
  keepLock(lock: string | undefined, aggregated: ReadonlySet<string>): void {
    const held = lock === undefined ? undefined : this.locks.peek(lock);
    if (held !== undefined && aggregated.has(held.taskId)) held.isAggregated = true;
  }
}

/** The task that holds a unique lock. */
export interface LockHolder {
  readonly taskId: string;
  /** Whether it was aggregated and so is no longer stored. */
  isAggregated: boolean;
}

/** The recorded ticks of one schedule. */
export interface RememberedTicks {
  /** The outcome of a tick, and the id of its task. */
  readonly ticks: Map<EpochMs, { readonly became: Exclude<TickOutcome, 'taken'>; readonly taskId: string }>;
  latest: EpochMs | undefined;
  /** The last task that a tick stored. */
  lastTaskId: string | undefined;
}

/** A server and what it runs. */
export interface PublishedServer {
  readonly server: ServerInfo;
  readonly workers: readonly WorkerInfo[];
}

/** The stored data of a task. The lists and sets of its queue say where it is. */
export interface MemoryTask {
  /** The encoded task message, so that later changes to the caller's values do not reach it. */
  record: Uint8Array;
  state: TaskState;
  pendingSince: EpochMs | undefined;
  /** The group it waits in, or waited in before it was collected. */
  group: string | undefined;
  /** The group it goes to when it is due, if it has never run. */
  groupWhenDue: string | undefined;
  /** The unique lock it was stored with. */
  lock: string | undefined;
  owner: TaskOwner | undefined;
  /** What a cancellation asked for while it ran. */
  canceled: CancelOutcome | undefined;
  result: Uint8Array | undefined;
  /** Of a record that did not decode: why, and its bytes. */
  undecodable: { readonly reason: string; readonly bytes: Uint8Array } | undefined;
}

/** The owner of a task: `host:pid:server-id`, and when it took the task. */
export interface TaskOwner {
  readonly name: string;
  readonly takenAtSeconds: number;
}

/** The lease that a task must have: that of a run, or a listed one, by its end. */
export type LeaseClaim =
  | { readonly kind: 'held'; readonly owner: string; readonly run: RunClaim }
  | { readonly kind: 'listed'; readonly leaseSeconds: number };

const noBytes = new Uint8Array(0);

/** The tasks of one queue, and where they are. */
export class MemoryQueue {
  readonly tasks = new Map<string, MemoryTask>();
  /** The next task to run comes first. */
  readonly pending = new IdList();
  /** The task taken last comes last. */
  readonly active = new IdList();
  /** Ends of leases, Unix seconds. */
  readonly lease: ScoredIds;
  /** Exact due times, Unix milliseconds. */
  readonly scheduled: ScoredIds;
  /** Exact due times, Unix milliseconds. */
  readonly retry: ScoredIds;
  /** When each was archived, Unix seconds. */
  readonly archived: ScoredIds;
  /** Ends of retentions, Unix seconds. */
  readonly completed: ScoredIds;
  /** Names of the groups that have waiting tasks. */
  readonly groups = new Set<string>();
  /**
   * Members of groups by the group's name, and of aggregation sets by `<group>:<set id>`: when each joined its group,
   * Unix seconds. Without members there is no entry.
   */
  readonly members = new Map<string, ScoredIds>();
  /** Deadlines of aggregation sets, Unix seconds, by `<group>:<set id>`. */
  readonly aggregationSets = new Map<string, number>();
  /** Ended runs, and those of them that failed. */
  readonly counters = { processed: 0, failed: 0 };
  /** The same by UTC day, `2026-03-01`, for the last 90 days. */
  readonly days = new Map<string, { processed: number; failed: number }>();
  /** Used ticks, by the name of their schedule. */
  readonly ticks = new ExpiringMap<RememberedTicks>();
  /** Callbacks, called once when a task arrives in `pending`. */
  readonly waiters = new Set<() => void>();
  /** Whether the queue is paused. */
  isPaused = false;

  readonly #signals: MemorySignals;
  readonly #ties: Ties;

  constructor(
    readonly name: string,
    { signals, ties }: { readonly signals: MemorySignals; readonly ties: Ties },
  ) {
    this.#signals = signals;
    this.#ties = ties;
    this.lease = new ScoredIds(ties);
    this.scheduled = new ScoredIds(ties);
    this.retry = new ScoredIds(ties);
    this.archived = new ScoredIds(ties);
    this.completed = new ScoredIds(ties);
  }

  /** Adds ids behind all others, in order, and notifies waiters. */
  addPending(ids: readonly string[]): void {
    const wasEmpty = this.pending.size === 0;
    for (const id of ids) this.pending.addLast(id);
    if (ids.length > 0) this.#tellOfPending(wasEmpty);
  }

  /** Adds ids before all others; the first of them runs next. */
  addPendingFirst(ids: readonly string[]): void {
    const wasEmpty = this.pending.size === 0;
    for (const id of ids.toReversed()) this.pending.addFirst(id);
    if (ids.length > 0) this.#tellOfPending(wasEmpty);
  }

  /**
   * Takes a running task out of `active` and `lease`; one that is not in both, or not under the lease claimed, stays.
   */
  leaveActive(taskId: string, claim: LeaseClaim): 'left' | 'not-active' {
    if (!this.isClaimed(taskId, claim) || !this.active.delete(taskId)) return 'not-active';
    this.lease.delete(taskId);
    return 'left';
  }

  /**
   * Whether a task is leased as claimed. A record that was lost says nothing of its owner: the lease alone counts then.
   */
  isClaimed(taskId: string, claim: LeaseClaim): boolean {
    const end = this.lease.scoreOf(taskId);
    if (end === undefined) return false;
    if (claim.kind === 'listed') return end === claim.leaseSeconds;
    const owner = this.tasks.get(taskId)?.owner;
    const isOther =
      owner !== undefined && (owner.name !== claim.owner || owner.takenAtSeconds !== toEpochSeconds(claim.run.takenAt));
    return !isOther && end <= toEpochSeconds(claim.run.leaseAsked);
  }

  /** Returns the stored data of a task; creates it if there is none. */
  taskOf(taskId: string, record: Uint8Array): MemoryTask {
    return this.tasks.get(taskId) ?? this.newTask(taskId, record);
  }

  /** Stores a task that is in no place yet. */
  newTask(taskId: string, record: Uint8Array): MemoryTask {
    const task: MemoryTask = {
      record,
      state: 'pending',
      pendingSince: undefined,
      group: undefined,
      groupWhenDue: undefined,
      lock: undefined,
      owner: undefined,
      canceled: undefined,
      result: undefined,
      undecodable: undefined,
    };
    this.tasks.set(taskId, task);
    return task;
  }

  /** Deletes the stored data of a task; its id stays where it is. */
  forget(taskId: string): void {
    const task = this.tasks.get(taskId);
    if (task === undefined) return;
    this.tasks.delete(taskId);
    // The map may hold on to the object for a while (see engine/server/run-list.ts); to its bytes it must not.
    task.record = noBytes;
    task.result = undefined;
    task.undecodable = undefined;
  }

  /** Adds a member to a group or an aggregation set. */
  join(name: string, taskId: string, joinedAtSeconds: number): void {
    const known = this.members.get(name);
    if (known !== undefined) return known.add(taskId, joinedAtSeconds);
    const members = new ScoredIds(this.#ties);
    members.add(taskId, joinedAtSeconds);
    this.members.set(name, members);
  }

  /** Removes a member from a group or an aggregation set; returns whether it was there. */
  leave(name: string, taskId: string): boolean {
    const members = this.members.get(name);
    if (members === undefined || !members.delete(taskId)) return false;
    if (members.size === 0) this.members.delete(name);
    return true;
  }

  #tellOfPending(wasEmpty: boolean): void {
    for (const tell of this.waiters) tell();
    if (wasEmpty) this.#signals.wake(this.name);
  }
}
