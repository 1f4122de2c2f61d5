import type { Clock, Timer } from '../../lib/model/time/clock.js';
import { epochMs, type EpochMs, ms, type Ms } from '../../lib/model/time/duration.js';

/** A machine's clock that is off by as much as told, in milliseconds, from the one it is made of. */
export class SkewedClock implements Clock {
  offset = 0;

  /** Timers fire `haste` times sooner than they should. */
  constructor(
    private readonly right: Clock,
    private readonly haste = 1,
  ) {}

  now(): EpochMs {
    return epochMs(this.right.now() + this.offset);
  }

  monotonic(): Ms {
    return this.right.monotonic();
  }

  setTimer(delay: Ms, run: () => void): Timer {
    return this.right.setTimer(ms(delay / this.haste), run);
  }
}
