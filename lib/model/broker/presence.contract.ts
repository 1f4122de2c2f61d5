import type { EpochMs, Ms } from '../time/duration.js';
import type { ServerInfo, WorkerInfo } from './presence.js';

/** Publishes live servers; sends and receives cancellation and wake-up signals (P-104 to P-111). */
export interface PresenceContract {
  /** Publishes that a server is alive and what it runs; both expire after `ttl` unless published again. */
  publishServer(request: {
    readonly server: ServerInfo;
    readonly workers: readonly WorkerInfo[];
    readonly ttl: Ms;
    readonly now: EpochMs;
  }): Promise<void>;

  /** Removes what {@link publishServer} wrote. */
  clearServer(server: ServerInfo): Promise<void>;

  /** Returns which of these servers (`host:pid:server-id`) are published now. */
  listAlive(serverIds: readonly string[]): Promise<ReadonlySet<string>>;

  /**
   * Returns the servers that are published now, including Go's, at most a thousand; omits records that do not decode.
   */
  listServers(): Promise<readonly ServerInfo[]>;

  /**
   * Receives signals of other processes until the returned function is called. Resolves once the server has confirmed.
   * Resubscribes by itself after a lost connection and then calls `onReconnect`, since signals may have been missed.
   */
  subscribe(listener: SignalListener): Promise<() => Promise<void>>;

  /**
   * Cancels a task, whatever its state. A running task is signaled and ends as `outcome` says, unless its handler
   * decides otherwise; any other task is moved or deleted at once.
   */
  cancel(request: CancelRequest): Promise<CancelResult>;

  /** Tells every server which queues one of them maintains, so that the others need not ask. */
  announceMaintenance(news: MaintenanceNews): Promise<void>;

  /** Asynq's own cancellation: tells every server to stop the running task with this id (P-110). */
  signalCancel(taskId: string): Promise<void>;
}

export interface SignalListener {
  /** A running task with this id must be canceled; `request` is set if it came from {@link PresenceContract.cancel}. */
  onCancel(taskId: string, request: { readonly queue: string; readonly outcome: CancelOutcome } | undefined): void;
  /** A task arrived in a queue that was empty. */
  onWake(queue: string): void;
  /** A task became the next due task of its queue. */
  onDue(queue: string, dueAt: EpochMs): void;
  /** A server holds the maintenance leases of queues, or has released them. */
  onMaintenance(news: MaintenanceNews): void;
  /** The subscription was lost and is back. */
  onReconnect(): void;
}

/** Which queues a server maintains (`MaintenanceContract.leaseMaintenance`). */
export interface MaintenanceNews {
  /** `host:pid:server-id` */
  readonly owner: string;
  readonly queues: readonly string[];
  /** For how long from now; 0 when it has released them. */
  readonly heldFor: Ms;
}

/** What happens to a canceled task. */
export type CancelOutcome = 'archive' | 'delete' | 'retry';

export interface CancelRequest {
  readonly queue: string;
  readonly taskId: string;
  readonly outcome: CancelOutcome;
  readonly now: EpochMs;
}

/**
 * `signaled`: it is running and was told to stop; `archived`, `deleted`: done at once; `kept`: it already waits and
 * `outcome` is `retry`, or it has ended; `not-found`: no such task in the queue.
 */
export type CancelResult = 'signaled' | 'archived' | 'deleted' | 'kept' | 'not-found';
