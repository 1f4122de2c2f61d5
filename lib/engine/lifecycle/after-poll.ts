import type { Clock, Timer } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import { type Waited, waitFor } from '../../model/time/wait.js';

/**
 * Calls `run` once the event loop has read what had arrived by now, and promises that this settled are through. After a
 * standstill timers fire first: whoever one of them gives up may have answered long ago.
 */
export function afterPoll(run: () => void): Timer {
  const immediate = setImmediate(run);
  return { cancel: () => clearImmediate(immediate) };
}

/** Resolves when {@link afterPoll} would call. */
export function polled(): Promise<void> {
  return new Promise((resolve) => void afterPoll(resolve));
}

/**
 * Calls `onPassed` when `limit` has passed and what had arrived by then has been read. Standstills of this process count:
 * for limits that others rely on, such as a shutdown's. See `startLimit` for those that only measure the patience of this
 * process.
 */
export function setDeadline(clock: Pick<Clock, 'setTimer'>, limit: Ms, onPassed: () => void): Timer {
  let timer = clock.setTimer(limit, () => {
    timer = afterPoll(onPassed);
  });
  return { cancel: () => timer.cancel() };
}

/** Waits for `wanted` until a {@link setDeadline} of `limit` has passed: then the wait ends as aborted. */
export async function waitUntilDeadline<T>(
  wanted: PromiseLike<T>,
  { clock, limit }: { readonly clock: Pick<Clock, 'setTimer'>; readonly limit: Ms },
): Promise<Waited<T>> {
  const over = new AbortController();
  const deadline = setDeadline(clock, limit, () => over.abort());
  try {
    return await waitFor(wanted, { signal: over.signal });
  } finally {
    deadline.cancel();
  }
}
