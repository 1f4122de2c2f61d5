import { isDeepStrictEqual } from 'node:util';
import type { RedisOption } from '../engine/open-broker.js';
import { systemClock } from '../engine/system-clock.js';
import { MemoryBroker } from '../memory/memory-broker.js';
import { MemoryStore } from '../memory/memory-state.js';
import type { EnqueueRequest } from '../model/broker/enqueue.contract.js';
import { checkDuration, checkInteger, checkNames } from '../model/options/check.js';
import { decodePayload, jsonCodec } from '../model/task/payload.codec.js';
import type { Random } from '../model/time/clock.js';
import { type Duration, type EpochMs, ms, type Ms } from '../model/time/duration.js';
import type { AsynqInstance, EngineParts } from '../nest/asynq-instance.js';
import { DueRunner } from './due-runner.js';
import { EnqueuedTasks } from './enqueued-tasks.js';
import { Faults } from './faults.js';
import { DequeueWindow } from './dequeue-window.js';
import { ManualBackgroundTimers } from './manual-background-timers.js';
import { ClientClock } from './client-clock.js';
import { RecordedLogs } from './recorded-logs.js';
import { ActiveRuns } from './active-runs.js';
import { seededRandom } from './seeded-random.js';
import { storedTask, type StoredTask } from './stored-task.js';
import { StoredTasks } from './stored-tasks.js';
import { TestBroker } from './test-broker.js';
import { VirtualClock } from './virtual-clock.js';

/** Options of an application under test; each has a default. */
export interface AsynqTestingOptions {
  /** The first instant of the virtual clock. Default 2026-03-01T12:00:00Z. */
  readonly now?: Date | string | undefined;
  /** The seed of random numbers, such as those of the default retry delay. Default 1. */
  readonly seed?: number | undefined;
  /**
   * How long, in real time, `advance` waits for a handler before the clock moves on, so that its timeout can come.
   * Default `'100ms'`; raise it when handlers do slow work in tests.
   */
  readonly maxHandlerWait?: Duration | undefined;
}

/** At the end of an application the clock moves by this much, so that nothing waits for it. */
const maxShutdown = ms(24 * 3_600_000);

/** What an application under test uses instead of Redis, real time and random numbers. */
export class TestEnvironment {
  readonly backgroundTimers = new ManualBackgroundTimers();
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly window = new DequeueWindow();
  readonly runs = new ActiveRuns();
  readonly logs = new RecordedLogs();
  readonly enqueued = new EnqueuedTasks();
  readonly faults: Faults;
  readonly stored: StoredTasks;
  readonly runner: DueRunner;
  /** The same for every instance of the application. */
  readonly parts: EngineParts;
  readonly #maxHandlerWait: Ms;
  readonly #stores: { readonly redis: RedisOption; readonly store: MemoryStore }[] = [];
  /** The instances of the application, as soon as there are some. */
  #instances: () => readonly AsynqInstance[] = () => [];

  /** @throws InvalidOptionError. */
  constructor(options: AsynqTestingOptions = {}) {
    checkNames({ path: 'AsynqTestingModule:', value: options }, ['now', 'seed', 'maxHandlerWait']);
    const { now, seed = 1, maxHandlerWait = '100ms' } = options;
    this.#maxHandlerWait = checkDuration({ path: 'AsynqTestingModule: maxHandlerWait', value: maxHandlerWait });
    this.random = seededRandom(checkInteger({ path: 'AsynqTestingModule: seed', value: seed }, { min: 0 }));
    this.clock = new VirtualClock({ backgroundTimers: this.backgroundTimers, ...(now === undefined ? {} : { now }) });
    this.faults = new Faults(this.clock);
    this.stored = new StoredTasks(() => this.#stores.map(({ store }) => store));
    const { clock, window, runs, backgroundTimers, stored } = this;
    this.runner = new DueRunner({
      clock,
      realClock: systemClock,
      window,
      runs,
      backgroundTimers,
      stored,
      maxHandlerWait: this.#maxHandlerWait,
    });
    this.parts = {
      clock,
      random: this.random,
      clientClock: new ClientClock({ clock, isBrokerDown: () => this.faults.isBrokerDown }),
      logger: this.logs,
      openBroker: (redis) => this.#open(redis),
    };
  }

  /** From now on records know what their instance is called, and its codec. */
  attach(instances: () => readonly AsynqInstance[]): void {
    this.#instances = instances;
  }

  /** What is stored now, queue by queue. */
  tasks(): readonly StoredTask[] {
    return this.stored.all().map((record) =>
      storedTask(
        record,
        decoder(() => this.#instances().find(({ options }) => this.#storeOf(options.redis) === record.store)),
      ),
    );
  }

  /** One store for each Redis that the application names, as in production. */
  #open(redis: RedisOption): TestBroker {
    const { window, faults, runs, clock } = this;
    const store = this.#storeOf(redis);
    return new TestBroker({
      broker: new MemoryBroker({ store, clock }),
      window,
      faults,
      runs,
      onEnqueued: (broker, request, now) => this.#record(request, { broker, store, now }),
      onClosing: (broker) => this.#hurry(broker),
    });
  }

  #storeOf(redis: RedisOption): MemoryStore {
    const known = this.#stores.find((one) => one.redis === redis || isDeepStrictEqual(one.redis, redis));
    if (known !== undefined) return known.store;
    // Names of tasks are random, and no test is to depend on chance.
    const store = new MemoryStore('by-arrival');
    this.#stores.push({ redis, store });
    return store;
  }

  #record(
    request: EnqueueRequest,
    { broker, store, now }: { readonly broker: TestBroker; readonly store: MemoryStore; readonly now: EpochMs },
  ): void {
    const instance = (): AsynqInstance | undefined => this.#instances().find((one) => one.broker === broker);
    this.enqueued.add({
      request,
      now,
      by: {
        instance: () => instance()?.name ?? '',
        decode: decoder(instance),
        state: () => this.stored.stateOf(store, request.message),
      },
    });
  }

  /** A server that ends waits for its handlers by the virtual clock, which nobody else moves then. */
  #hurry(broker: TestBroker): void {
    const timer = systemClock.setTimer(this.#maxHandlerWait, () => {
      void this.clock.advance(maxShutdown);
    });
    broker.onClosed(() => timer.cancel());
  }
}

/** Payloads as handlers get them; what does not decode stays bytes. */
function decoder(instance: () => AsynqInstance | undefined): (bytes: Uint8Array) => unknown {
  return (bytes) => {
    try {
      return decodePayload(bytes, instance()?.options.codec ?? jsonCodec);
    } catch {
      return Buffer.from(bytes);
    }
  };
}
