import type { Clock, Timer } from './clock.js';
import { type Ms, ms } from './duration.js';

const parts = 5;

/**
 * Calls `onPassed` once `limit` has passed while this process was running. Measured in parts: an event loop that stands
 * still for longer than a part loses only that one, and a last part that was late is followed by another, because what
 * was waited for may lie in a socket that nobody has read yet.
 */
export function startLimit(clock: Clock, limit: Ms, onPassed: () => void): Timer {
  const part = ms(limit / parts);
  let left = parts;
  let timer: Timer;
  const arm = (): void => {
    const dueAt = clock.monotonic() + part;
    timer = clock.setTimer(part, () => {
      left -= 1;
      if (left > 0 || clock.monotonic() - dueAt > part) arm();
      else onPassed();
    });
  };
  arm();
  return { cancel: () => timer.cancel() };
}
