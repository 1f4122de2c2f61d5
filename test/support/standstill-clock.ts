import { systemClock } from '../../lib/engine/system-clock.js';
import type { Clock, Timer } from '../../lib/model/time/clock.js';
import { epochMs, type EpochMs, ms, type Ms } from '../../lib/model/time/duration.js';

interface ArmedTimer {
  readonly dueAt: Ms;
  readonly run: () => void;
  readonly real: Timer;
}

/** The real time of a process that can be made to stand still, as one does that computes, without the computing. */
export class StandstillClock implements Clock {
  /** Its wall clock is ahead of the real one by what passed in standstills. */
  readonly isVirtual = true;
  readonly #timers = new Set<ArmedTimer>();
  /** Time that passed in standstills. */
  #stood = 0;

  now(): EpochMs {
    return epochMs(systemClock.now() + this.#stood);
  }

  monotonic(): Ms {
    return ms(systemClock.monotonic() + this.#stood);
  }

  setTimer(delay: Ms, run: () => void): Timer {
    const fire = (): void => {
      this.#timers.delete(timer);
      run();
    };
    const timer = { dueAt: ms(this.monotonic() + delay), run: fire, real: systemClock.setTimer(delay, fire) };
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.real.cancel();
      },
    };
  }

  /** Time passes, and then what has become due fires before anything is read that has arrived meanwhile. */
  standStill(by: Ms): void {
    this.#stood += by;
    const now = this.monotonic();
    const due = [...this.#timers].filter(({ dueAt }) => dueAt <= now).toSorted((one, other) => one.dueAt - other.dueAt);
    for (const timer of due) {
      // One that fired before may have canceled it.
      if (!this.#timers.has(timer)) continue;
      timer.real.cancel();
      timer.run();
    }
  }
}
