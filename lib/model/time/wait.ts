import type { Clock, Timer } from './clock.js';
import { type Ms, ms } from './duration.js';

/** What ends a wait early: a duration, a signal, or the first of several signals. */
export type WaitLimits =
  | { readonly clock: Clock; readonly limit: Ms; readonly signal?: AbortSignal | readonly AbortSignal[] | undefined }
  | { readonly signal: AbortSignal | readonly AbortSignal[] };

/** How a wait ended: with the awaited value, by its limit, or by its signal. */
export type Waited<T> =
  { readonly ended: 'in-time'; readonly value: T } | { readonly ended: 'late' | 'aborted'; readonly value?: undefined };

/**
 * Waits for a promise, within limits. However the wait ends, it leaves no timer and no listener behind. A signal that is
 * already aborted ends it at once, and an abort wins over a promise that settles in the same turn of the event loop.
 *
 * @throws whatever `wanted` rejects with, unless the wait has already ended; the rejection is then ignored.
 *
 * @example
 * const waited = await waitFor(broker.open(), { clock, limit: ms(5_000), signal });
 * if (waited.ended === 'late') throw new BrokerUnavailableError('there was no answer');
 */
export function waitFor<T>(wanted: PromiseLike<T>, limits: WaitLimits): Promise<Waited<T>> {
  return new Promise((resolve, reject) => {
    const release = onEnd(limits, (ended) => resolve({ ended }));
    const settle = (outcome: () => void): void => {
      release();
      outcome();
    };
    Promise.resolve(wanted).then(
      (value) => settle(() => resolve({ ended: 'in-time', value })),
      (error: Error) => settle(() => reject(error)),
    );
  });
}

/** Like {@link waitFor}, for a callback: `listen` receives the function to call, and returns a function that stops it. */
export async function waitForCall(listen: (tell: () => void) => () => void, limits: WaitLimits): Promise<Waited<void>> {
  let stopListening!: () => void;
  const told = new Promise<void>((resolve) => {
    stopListening = listen(resolve);
  });
  try {
    return await waitFor(told, limits);
  } finally {
    stopListening();
  }
}

/**
 * Waits until every promise has settled, so that a failure does not keep other work from being done.
 *
 * @throws the reason of the first promise, in the given order, that was rejected.
 */
export async function waitForAll(promises: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(promises);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Waits for a duration, or until the signal is aborted; resolves with which of the two ended the wait. */
export function pause(
  length: Ms,
  limits: { readonly clock: Pick<Clock, 'setTimer'>; readonly signal?: AbortSignal },
): Promise<'passed' | 'aborted'> {
  const { clock, signal = [] } = limits;
  return new Promise((resolve) => {
    const timer = clock.setTimer(length, () => {
      release();
      resolve('passed');
    });
    const release = onEnd({ signal }, () => {
      timer.cancel();
      resolve('aborted');
    });
  });
}

/** Calls `tell` when the wait must end early, possibly at once. Returns a function that releases timer and listeners. */
function onEnd(limits: WaitLimits, tell: (ended: 'late' | 'aborted') => void): () => void {
  const { signal = [] } = limits;
  const signals = Array.isArray(signal) ? signal : [signal];
  if (signals.some(({ aborted }) => aborted)) {
    tell('aborted');
    return () => {};
  }
  const release = (): void => {
    timer?.cancel();
    for (const one of signals) one.removeEventListener('abort', onAbort);
  };
  const end = (ended: 'late' | 'aborted'): void => {
    release();
    tell(ended);
  };
  const onAbort = (): void => end('aborted');
  for (const one of signals) one.addEventListener('abort', onAbort);
  const timer = 'clock' in limits ? startLimit(limits.clock, limits.limit, () => end('late')) : undefined;
  return release;
}

const maxParts = 5;

/**
 * Calls `onPassed` once `limit` has passed while this process was running. The limit is measured in parts: a standstill
 * of the event loop counts as one part at most. If the last part was late, one more follows, in which the event loop
 * reads what has arrived in the meantime.
 */
export function startLimit(clock: Pick<Clock, 'setTimer' | 'monotonic'>, limit: Ms, onPassed: () => void): Timer {
  let left = Math.min(maxParts, Math.max(1, Math.ceil(limit)));
  const part = ms(limit / left);
  let timer: Timer;
  let holdsProcess = true;
  const arm = (isExtra: boolean): void => {
    const dueAt = clock.monotonic() + part;
    timer = clock.setTimer(part, () => {
      left -= 1;
      if (left > 0) arm(false);
      else if (!isExtra && clock.monotonic() - dueAt > part) arm(true);
      else onPassed();
    });
    if (!holdsProcess) timer.unref?.();
  };
  arm(false);
  return {
    cancel: () => timer.cancel(),
    unref: () => {
      holdsProcess = false;
      timer.unref?.();
    },
  };
}
