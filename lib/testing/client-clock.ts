import type { BackgroundTimers, Clock, Timer } from '../model/time/clock.js';
import { type EpochMs, ms, type Ms } from '../model/time/duration.js';

export interface ClientClockDeps {
  /** Tells the time. */
  readonly clock: Clock;
  readonly isBrokerDown: () => boolean;
}

/**
 * The clock of clients under test. While the broker is down, their waits end at once, so that the code under test sees
 * the failure instead of hanging.
 */
export class ClientClock implements Clock {
  /** The total length of waits that were cut short. */
  #skipped = 0;

  constructor(private readonly deps: ClientClockDeps) {}

  get backgroundTimers(): BackgroundTimers | undefined {
    return this.deps.clock.backgroundTimers;
  }

  now(): EpochMs {
    return this.deps.clock.now();
  }

  monotonic(): Ms {
    return ms(this.deps.clock.monotonic() + this.#skipped);
  }

  setTimer(delay: Ms, run: () => void): Timer {
    const end = this.monotonic() + delay;
    const passIfDown = (): void => {
      if (!this.deps.isBrokerDown()) return;
      this.#skipped += Math.max(0, end - this.monotonic());
      run();
    };
    const timer = this.deps.clock.setTimer(delay, run);
    const immediate = setImmediate(passIfDown);
    return {
      cancel: () => {
        clearImmediate(immediate);
        timer.cancel();
      },
    };
  }
}
