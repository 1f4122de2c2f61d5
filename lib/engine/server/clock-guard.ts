import type { Clock } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import type { ClockMonitor } from '../lifecycle/clock-monitor.js';
import type { Service } from '../lifecycle/service.js';

export interface ClockGuardDeps {
  readonly brokerMonitor: BrokerReachability;
  readonly clockMonitor: Pick<ClockMonitor, 'look' | 'state' | 'hasStepped'>;
  readonly clock: Clock;
}

/**
 * Sits between the broker monitor and the services that act on other workers' tasks by the clock: for them Redis is up
 * only while the clock is known not to be far off. After the clock was set, it is compared again first.
 */
export class ClockGuard implements Service, BrokerReachability {
  readonly name = 'clock guard';
  readonly #listeners = new Set<() => void>();
  #stopListening: (() => void) | undefined;
  /** Since when the clock can be trusted; `undefined` while it cannot. */
  #trustedSince: Ms | undefined;

  constructor(private readonly deps: ClockGuardDeps) {}

  async start(): Promise<void> {
    if (this.#stopListening !== undefined) return;
    const { brokerMonitor } = this.deps;
    // The heartbeat, which comes when Redis is up, detects anything missed in between.
    this.#stopListening = brokerMonitor.onUp(() => {
      if (this.isUp()) this.#tell();
    });
    if (brokerMonitor.isUp()) await this.look();
  }

  stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = undefined;
    return Promise.resolve();
  }

  /** Compares the clocks; notifies listeners when this one can be trusted again. */
  async look(): Promise<void> {
    const { brokerMonitor, clockMonitor, clock } = this.deps;
    await clockMonitor.look();
    if (clockMonitor.state !== 'right' && clockMonitor.state !== 'off') {
      this.#trustedSince = undefined;
    } else if (this.#trustedSince === undefined) {
      this.#trustedSince = clock.monotonic();
      if (brokerMonitor.isUp()) this.#tell();
    }
  }

  isUp(): boolean {
    const { brokerMonitor, clockMonitor } = this.deps;
    if (!brokerMonitor.isUp()) return false;
    if (clockMonitor.hasStepped) {
      this.#trustedSince = undefined;
      void this.look();
    }
    return this.#trustedSince !== undefined;
  }

  upFor(): Ms {
    if (!this.isUp() || this.#trustedSince === undefined) return ms(0);
    return ms(Math.min(this.deps.brokerMonitor.upFor(), this.deps.clock.monotonic() - this.#trustedSince));
  }

  onUp(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
