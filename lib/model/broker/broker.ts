import type { EpochMs } from '../time/duration.js';
import type { EnqueueContract } from './enqueue.contract.js';
import type { MaintenanceContract } from './maintenance.contract.js';
import type { PresenceContract } from './presence.contract.js';
import type { ScheduleContract } from './schedule.contract.js';
import type { StorageNotice } from './storage-notice.js';
import type { WorkContract } from './work.contract.js';

/**
 * Storage with the queue's semantics, one property per contract. Every operation takes many items and reports the
 * outcome of each. Nothing is decided by the server's time; the caller passes `now` from its clock. The exception is a
 * settlement that arrives late by the server's clock, which is checked more closely: see {@link WorkContract.settle}.
 */
export interface Broker {
  readonly enqueue: EnqueueContract;
  readonly work: WorkContract;
  readonly maintenance: MaintenanceContract;
  readonly presence: PresenceContract;
  readonly schedules: ScheduleContract;

  /**
   * Returns where the tasks are kept, as a URL without user and password: `redis://localhost:6379/0`, `memory:`. It is
   * meant for people: log lines and health pages.
   */
  describe(): string;

  /**
   * Connects and checks that the library supports the server. Any number of users of one broker may call it; the work
   * is done once.
   *
   * @throws UnsupportedRedisError when the server is too old.
   * @throws BrokerUnavailableError when it cannot be reached within the connect limit.
   */
  open(): Promise<void>;

  /** Makes one round trip to the server. @throws BrokerUnavailableError when it does not answer. */
  ping(): Promise<void>;

  /**
   * Returns the time of the storage's clock, for comparison with the local one. In a cluster it is that of one of the
   * nodes.
   *
   * @throws BrokerUnavailableError when there is no answer; BrokerCommandError when asking for the time is not
   * permitted.
   */
  time(): Promise<EpochMs>;

  /** Whether commands can be sent now. */
  isAvailable(): boolean;

  /** Calls `listener` at every change of {@link isAvailable}. Returns a function that removes it. */
  onAvailability(listener: (availability: Availability) => void): () => void;

  /** Calls `listener` with what storage found and worked around. Returns a function that removes it. */
  onNotice(listener: (notice: StorageNotice) => void): () => void;

  /** Closes what the broker opened, and nothing that was passed to it. Idempotent; later calls are refused. */
  close(): Promise<void>;
}

/** Whether the broker can be reached; if not, the last error says why. */
export type Availability = { readonly kind: 'up' } | { readonly kind: 'down'; readonly error: Error };
