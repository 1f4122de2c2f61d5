import type { Clock, Random, Timer } from '../model/time/clock.js';
import { epochMs, ms } from '../model/time/duration.js';

// The longest delay of a Node timer; a longer one would fire at once.
const maxTimerDelay = 2 ** 31 - 1;

/** The real time. Only this file of the library reads a clock, sets a timer or draws a random number. */
export const systemClock: Clock = {
  now: () => epochMs(Date.now()),
  monotonic: () => ms(performance.now()),
  setTimer(delay, run): Timer {
    let handle: NodeJS.Timeout;
    let holdsProcess = true;
    const arm = (left: number): void => {
      handle =
        left > maxTimerDelay
          ? setTimeout(() => arm(left - maxTimerDelay), maxTimerDelay)
          : setTimeout(run, Math.max(0, left));
      if (!holdsProcess) handle.unref();
    };
    arm(delay);
    return {
      cancel: () => clearTimeout(handle),
      unref: () => {
        holdsProcess = false;
        handle.unref();
      },
    };
  },
};

/** Returns uniform random numbers in [0, 1). */
export const systemRandom: Random = () => Math.random();
