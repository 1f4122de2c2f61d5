import type { Availability, Broker } from '../model/broker/broker.js';
import type { EnqueueContract, EnqueueOutcome, EnqueueRequest } from '../model/broker/enqueue.contract.js';
import type { MaintenanceContract } from '../model/broker/maintenance.contract.js';
import type { PresenceContract } from '../model/broker/presence.contract.js';
import type { ScheduleContract } from '../model/broker/schedule.contract.js';
import type { StorageNotice } from '../model/broker/storage-notice.js';
import type { EpochMs } from '../model/time/duration.js';
import { unavailable } from './faults.js';
import { TestWork, type TestWorkDeps } from './test-work.js';

/** What a test is told besides. */
export interface TestBrokerDeps extends TestWorkDeps {
  readonly onEnqueued: (broker: TestBroker, request: EnqueueRequest, now: EpochMs) => void;
  /** A server of this broker is about to end. */
  readonly onClosing: (broker: TestBroker) => void;
}

/** A broker under the control of a test: it records calls, fails on demand, and hands out tasks only when allowed. */
export class TestBroker implements Broker {
  readonly enqueue: EnqueueContract;
  readonly work: TestWork;
  readonly maintenance: MaintenanceContract;
  readonly presence: PresenceContract;
  readonly schedules: ScheduleContract;
  #onClosed: (() => void)[] = [];

  constructor(private readonly deps: TestBrokerDeps) {
    const { broker, window } = deps;
    this.enqueue = { enqueue: async (requests, now) => await this.#enqueue(requests, now) };
    this.work = this.#watched(new TestWork(deps), {});
    this.maintenance = this.#watched<MaintenanceContract>(broker.maintenance, {
      forwardDue: async (request) => {
        const result = await broker.maintenance.forwardDue(request);
        window.progress += result.forwarded;
        return result;
      },
      recover: async (queue, recoveries, now) => {
        const outcomes = await broker.maintenance.recover(queue, recoveries, now);
        for (const [index, { settlement }] of recoveries.entries()) {
          if (outcomes[index] !== 'settled') continue;
          window.progress += 1;
          deps.runs.recovered(queue, settlement.message.id);
        }
        return outcomes;
      },
      finishAggregation: async (request) => {
        const outcome = await broker.maintenance.finishAggregation(request);
        if (outcome === 'finished') this.#enqueued(request.combined, request.now);
        return outcome;
      },
    });
    this.presence = this.#watched<PresenceContract>(broker.presence, {
      publishServer: async (request) => {
        if (request.server.status === 'closed') deps.onClosing(this);
        await broker.presence.publishServer(request);
      },
    });
    this.schedules = this.#watched<ScheduleContract>(broker.schedules, {
      enqueueTick: async (tick) => {
        const outcome = await broker.schedules.enqueueTick(tick);
        if (outcome === 'enqueued') this.#enqueued(tick.request, tick.now);
        return outcome;
      },
    });
  }

  describe(): string {
    return this.deps.broker.describe();
  }

  async open(): Promise<void> {
    if (this.deps.faults.isBrokerDown) throw unavailable();
    await this.deps.broker.open();
  }

  async ping(): Promise<void> {
    if (this.deps.faults.isBrokerDown) throw unavailable();
    await this.deps.broker.ping();
  }

  async time(): Promise<EpochMs> {
    if (this.deps.faults.isBrokerDown) throw unavailable();
    return await this.deps.broker.time();
  }

  isAvailable(): boolean {
    return !this.deps.faults.isBrokerDown && this.deps.broker.isAvailable();
  }

  onAvailability(listener: (availability: Availability) => void): () => void {
    const stops = [this.deps.broker.onAvailability(listener), this.deps.faults.onAvailability(listener)];
    return () => {
      for (const stop of stops) stop();
    };
  }

  onNotice(listener: (notice: StorageNotice) => void): () => void {
    return this.deps.broker.onNotice(listener);
  }

  async close(): Promise<void> {
    for (const tell of this.#onClosed.splice(0)) tell();
    await this.deps.broker.close();
  }

  /** Calls `listener` when the broker is closed. */
  onClosed(listener: () => void): void {
    this.#onClosed.push(listener);
  }

  async #enqueue(requests: readonly EnqueueRequest[], now: EpochMs): Promise<readonly EnqueueOutcome[]> {
    const { broker, faults, window } = this.deps;
    if (faults.isBrokerDown) return requests.map(() => unavailable());
    window.calls += 1;
    const outcomes = await broker.enqueue.enqueue(requests, now);
    window.calls -= 1;
    for (const [index, request] of requests.entries()) {
      if (outcomes[index] === 'enqueued') this.#enqueued(request, now);
    }
    return outcomes;
  }

  #enqueued(request: EnqueueRequest, now: EpochMs): void {
    this.deps.window.progress += 1;
    this.deps.onEnqueued(this, request, now);
  }

  /** The contract with some of its methods replaced; every call counts while it lasts, and fails while it must. */
  #watched<C extends object>(contract: C, replaced: Partial<C>): C {
    const { window, faults } = this.deps;
    return new Proxy(contract, {
      get: (target, name) => {
        const method: unknown = Reflect.get(replaced, name) ?? Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          // To settle never rejects, to wait lasts: both know by themselves what to do.
          if (name === 'settle' || name === 'waitForTask') return await Reflect.apply(method, target, args);
          if (faults.isBrokerDown) throw unavailable();
          window.calls += 1;
          try {
            return await Reflect.apply(method, target, args);
          } finally {
            window.calls -= 1;
          }
        };
      },
    });
  }
}
