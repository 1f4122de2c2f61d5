import type { Availability, Broker } from '../model/broker/broker.js';
import type { EnqueueContract } from '../model/broker/enqueue.contract.js';
import type { MaintenanceContract } from '../model/broker/maintenance.contract.js';
import type { PresenceContract } from '../model/broker/presence.contract.js';
import type { ScheduleContract } from '../model/broker/schedule.contract.js';
import { type StorageNotice, StorageNotices } from '../model/broker/storage-notice.js';
import type { WorkContract } from '../model/broker/work.contract.js';
import type { Clock } from '../model/time/clock.js';
import type { EpochMs } from '../model/time/duration.js';
import { MemoryEnqueue } from './memory-enqueue.js';
import { MemoryLifetime } from './memory-context.js';
import { MemoryMaintenance } from './memory-maintenance.js';
import { MemoryPresence } from './memory-presence.js';
import { MemorySchedule } from './memory-schedule.js';
import { MemorySettle } from './memory-settle.js';
import type { MemoryStore } from './memory-state.js';
import { MemoryWork } from './memory-work.js';

export interface MemoryBrokerDeps {
  /** The store, which other brokers may share. */
  readonly store: MemoryStore;
  /** The time of the tasks: expiry and waits for tasks use it. */
  readonly clock: Clock;
  /** The name under which other brokers of this process find the store. */
  readonly name?: string;
  /** Called once, when the broker is closed. */
  readonly onClose?: () => void;
}

/**
 * Keeps queues in this process, with the semantics of Redis but without durability: what is stored ends with the
 * process. Every call is one atomic step and settles in a microtask. Nothing here keeps a process alive, except a timer
 * while a caller waits for a task.
 *
 * After {@link close}, calls are refused with an InvalidStateError.
 *
 * @example
 * const broker = new MemoryBroker({ store: new MemoryStore(), clock: systemClock });
 * const asynq = new AsynqClient({ broker });
 * const server = new AsynqServer({ broker, concurrency: 20 });
 */
export class MemoryBroker implements Broker {
  readonly enqueue: EnqueueContract;
  readonly work: WorkContract;
  readonly maintenance: MaintenanceContract;
  readonly presence: PresenceContract;
  readonly schedules: ScheduleContract;
  readonly #lifetime = new MemoryLifetime();
  readonly #notices = new StorageNotices();

  constructor(private readonly brokerDeps: MemoryBrokerDeps) {
    const { store, clock } = brokerDeps;
    const deps = { store, clock, lifetime: this.#lifetime, notices: this.#notices };
    const settle = new MemorySettle(deps);
    this.enqueue = new MemoryEnqueue(deps);
    this.work = new MemoryWork({ ...deps, settle });
    this.maintenance = new MemoryMaintenance({ ...deps, settle });
    this.presence = new MemoryPresence(deps);
    this.schedules = new MemorySchedule(deps);
  }

  describe(): string {
    return `memory:${this.brokerDeps.name ?? ''}`;
  }

  async open(): Promise<void> {
    this.#lifetime.refuseClosed();
  }

  async ping(): Promise<void> {
    this.#lifetime.refuseClosed();
  }

  /** Returns the time of the tasks. */
  async time(): Promise<EpochMs> {
    this.#lifetime.refuseClosed();
    return this.brokerDeps.clock.now();
  }

  /** Returns true until it is closed. */
  isAvailable(): boolean {
    return !this.#lifetime.isClosed;
  }

  /** Never calls the listener, since memory is always available. */
  onAvailability(_listener: (availability: Availability) => void): () => void {
    return () => {};
  }

  onNotice(listener: (notice: StorageNotice) => void): () => void {
    return this.#notices.listen(listener);
  }

  async close(): Promise<void> {
    if (this.#lifetime.isClosed) return;
    this.#lifetime.close();
    this.brokerDeps.onClose?.();
  }
}
