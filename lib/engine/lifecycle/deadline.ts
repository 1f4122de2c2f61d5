import type { Clock, Timer } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import { type Waited, waitFor } from '../../model/time/wait.js';

/**
 * Calls `run` once the event loop has read what has already arrived and the promises that this settles have been
 * handled. After a standstill timers fire first, although the answer that they waited for may have arrived long ago.
 */
export function afterPoll(run: () => void): Timer {
  const immediate = setImmediate(run);
  return { cancel: () => clearImmediate(immediate) };
}

/** Resolves when {@link afterPoll} would call `run`. */
export function polled(): Promise<void> {
  return new Promise((resolve) => void afterPoll(resolve));
}

/**
 * Calls `onPassed` when `limit` has passed and what had arrived by then has been read. Standstills of this process
 * count, for limits that others rely on, such as that of a shutdown. Use `startLimit` for limits that only concern this
 * process.
 */
export function setDeadline(clock: Pick<Clock, 'setTimer'>, limit: Ms, onPassed: () => void): Timer {
  let timer = clock.setTimer(limit, () => {
    timer = afterPoll(onPassed);
  });
  return { cancel: () => timer.cancel() };
}

/** Waits for `wanted` until the {@link setDeadline} of `limit` has passed; the wait then ends as aborted. */
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
