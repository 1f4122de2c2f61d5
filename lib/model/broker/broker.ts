import type { EpochMs } from '../time/duration.js';
import type { EnqueueContract } from './enqueue.contract.js';
import type { MaintenanceContract } from './maintenance.contract.js';
import type { PresenceContract } from './presence.contract.js';
import type { ScheduleContract } from './schedule.contract.js';
import type { StorageNotice } from './storage-notice.js';
import type { WorkContract } from './work.contract.js';

/**
 * Storage with the queue's semantics, one property per contract. Every operation takes many items and reports each
 * one's outcome. Nothing is decided by the server's time, the caller passes its clock's `now`; but a settlement that
 * arrives late by the server's clock is looked at more closely, see {@link WorkContract.settle}.
 */
export interface Broker {
  readonly enqueue: EnqueueContract;
  readonly work: WorkContract;
  readonly maintenance: MaintenanceContract;
  readonly presence: PresenceContract;
  readonly schedules: ScheduleContract;

  /**
   * Where the tasks are kept, as a URL without user and password: `redis://localhost:6379/0`, `memory:`. For people: log
   * lines and health pages.
   */
  describe(): string;

  /**
   * Connects and checks that the server is one the library supports.
   * Called by any number of users of one broker; the work is done once.
   *
   * @throws UnsupportedRedisError when the server is too old.
   * @throws BrokerUnavailableError when it cannot be reached within the connect limit.
   */
  open(): Promise<void>;

  /** One round trip to the server. @throws BrokerUnavailableError when there is no answer. */
  ping(): Promise<void>;

  /**
   * What the clock of the storage says, to compare one's own with. In a cluster it is that of one of the nodes.
   *
   * @throws BrokerUnavailableError when there is no answer; BrokerCommandError when the time may not be asked for.
   */
  time(): Promise<EpochMs>;

  /** Whether commands can be sent now. */
  isAvailable(): boolean;

  /** Tells `listener` about every change of {@link isAvailable}; returns a function that stops it. */
  onAvailability(listener: (availability: Availability) => void): () => void;

  /** Tells `listener` what storage met and worked around; returns a function that stops it. */
  onNotice(listener: (notice: StorageNotice) => void): () => void;

  /** Closes what the broker opened, and nothing that was handed to it. Idempotent; later calls are refused. */
  close(): Promise<void>;
}

/** Whether the broker can be reached; when not, the last error tells why. */
export type Availability = { readonly kind: 'up' } | { readonly kind: 'down'; readonly error: Error };
