import type { Availability, Broker } from '../../model/broker/broker.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import { startLimit } from '../../model/time/wait.js';
import type { Logger } from '../logger.js';
import type { Service } from './service.js';

/** How services learn whether Redis can be reached. */
export interface BrokerReachability {
  isUp(): boolean;
  /** How long it has been reachable without interruption; 0 while it is not. */
  upFor(): Ms;
  /** Calls `listener` whenever Redis is back. Returns a function that removes it. */
  onUp(listener: () => void): () => void;
}

export interface BrokerMonitorDeps {
  readonly broker: Pick<Broker, 'describe' | 'isAvailable' | 'onAvailability'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onDown: (error: Error) => void;
  readonly onBack: (downFor: Ms) => void;
}

/** How often it is said again that Redis cannot be reached. */
export const reminderEvery = ms(30_000);
/** How long a first connection may take before the log says that there is none. */
export const silentFor = ms(2_000);

/**
 * Monitors whether Redis can be reached and is the only place that logs it: one line when the connection is lost, or
 * not there two seconds after the start, one every 30 s while it is down, one when it is back. Other services only wait
 * for it.
 */
export class BrokerMonitor implements Service, BrokerReachability {
  readonly name = 'broker monitor';
  readonly #listeners = new Set<() => void>();
  #stopListening: (() => void) | undefined;
  #reminder: Timer | undefined;
  #upSince: Ms | undefined;
  #downSince: Ms | undefined;

  constructor(private readonly deps: BrokerMonitorDeps) {}

  start(): Promise<void> {
    if (this.#stopListening !== undefined) return Promise.resolve();
    const { broker, clock } = this.deps;
    this.#stopListening = broker.onAvailability((availability) => this.#changed(availability));
    if (broker.isAvailable()) this.#upSince = clock.monotonic();
    else
      this.#remindIn(silentFor, () => this.#down(new BrokerUnavailableError(`${broker.describe()} does not answer`)));
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#reminder?.cancel();
    this.#upSince = undefined;
    this.#downSince = undefined;
    return Promise.resolve();
  }

  isUp(): boolean {
    return this.#upSince !== undefined;
  }

  upFor(): Ms {
    return this.#upSince === undefined ? ms(0) : ms(this.deps.clock.monotonic() - this.#upSince);
  }

  onUp(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(availability: Availability): void {
    if (availability.kind === 'down') this.#down(availability.error);
    else this.#up();
  }

  #down(error: Error): void {
    this.#upSince = undefined;
    if (this.#downSince !== undefined) return;
    this.#downSince = this.deps.clock.monotonic();
    this.deps.logger.error(`${error.message}; still trying`);
    this.deps.onDown(error);
    this.#remind();
  }

  #remind(): void {
    this.#remindIn(reminderEvery, () => {
      this.deps.logger.error(`Redis has been unreachable for ${seconds(this.#downFor())} s`);
      this.#remind();
    });
  }

  #remindIn(delay: Ms, say: () => void): void {
    this.#reminder?.cancel();
    this.#reminder = startLimit(this.deps.clock, delay, say);
  }

  #up(): void {
    if (this.#upSince !== undefined) return;
    this.#upSince = this.deps.clock.monotonic();
    this.#reminder?.cancel();
    if (this.#downSince !== undefined) {
      const downFor = this.#downFor();
      this.#downSince = undefined;
      this.deps.logger.info(`Redis is back after ${seconds(downFor)} s`);
      this.deps.onBack(downFor);
    }
    for (const listener of this.#listeners) listener();
  }

  #downFor(): Ms {
    return ms(this.deps.clock.monotonic() - (this.#downSince ?? this.deps.clock.monotonic()));
  }
}

function seconds(length: Ms): string {
  return (length / 1_000).toFixed(1);
}
