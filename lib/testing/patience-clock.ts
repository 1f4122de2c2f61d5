import type { Clock, Timer } from '../model/time/clock.js';
import { type EpochMs, ms, type Ms } from '../model/time/duration.js';

export interface PatienceClockDeps {
  /** Tells the time. */
  readonly clock: Clock;
  readonly isBrokerDown: () => boolean;
}

/**
 * The clock by which clients wait for a broker that is down: what they would wait for passes at once, so that the code
 * under test sees the failure and not a standstill. A broker that is there is never waited for.
 */
export class PatienceClock implements Clock {
  /** Waits that were cut short, all together. */
  #skipped = 0;

  constructor(private readonly deps: PatienceClockDeps) {}

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
