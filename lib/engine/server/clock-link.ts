import type { Clock } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import type { BrokerLink } from '../lifecycle/broker-watch.js';
import type { ClockWatch } from '../lifecycle/clock-watch.js';
import type { Service } from '../lifecycle/service.js';

export interface ClockLinkDeps {
  readonly link: BrokerLink;
  readonly watch: Pick<ClockWatch, 'look' | 'state' | 'hasStepped'>;
  readonly clock: Clock;
}

/**
 * The link of services that decide by the clock what becomes of the tasks of others: up while Redis can be reached and
 * the clock is known not to be far off. A clock that was set is asked about before anything else is decided by it.
 */
export class ClockLink implements Service, BrokerLink {
  readonly name = 'clock link';
  readonly #listeners = new Set<() => void>();
  #stopListening: (() => void) | undefined;
  /** Since when the clock can be trusted; `undefined` while it cannot. */
  #trustedSince: Ms | undefined;

  constructor(private readonly deps: ClockLinkDeps) {}

  async start(): Promise<void> {
    if (this.#stopListening !== undefined) return;
    const { link } = this.deps;
    // What has been missed meanwhile is found by the heartbeat, which comes when the link is up.
    this.#stopListening = link.onUp(() => {
      if (this.isUp()) this.#tell();
    });
    if (link.isUp()) await this.look();
  }

  stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = undefined;
    return Promise.resolve();
  }

  /** Compares the clocks; when this one can be trusted again, whoever waited for that is told. */
  async look(): Promise<void> {
    const { link, watch, clock } = this.deps;
    await watch.look();
    if (watch.state !== 'right' && watch.state !== 'off') {
      this.#trustedSince = undefined;
    } else if (this.#trustedSince === undefined) {
      this.#trustedSince = clock.monotonic();
      if (link.isUp()) this.#tell();
    }
  }

  isUp(): boolean {
    const { link, watch } = this.deps;
    if (!link.isUp()) return false;
    if (watch.hasStepped) {
      this.#trustedSince = undefined;
      void this.look();
    }
    return this.#trustedSince !== undefined;
  }

  upFor(): Ms {
    if (!this.isUp() || this.#trustedSince === undefined) return ms(0);
    return ms(Math.min(this.deps.link.upFor(), this.deps.clock.monotonic() - this.#trustedSince));
  }

  onUp(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
