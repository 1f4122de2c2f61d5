import type { EpochMs, Ms } from './duration.js';

/** A timer that was set on a {@link Clock}. */
export interface Timer {
  /** Cancels the timer; does nothing if it has already fired. */
  cancel(): void;
  /** Lets the process end without waiting for the timer; absent in clocks whose timers keep no process alive. */
  unref?(): void;
}

/**
 * The source of time and timers for the whole library, so that tests can move time as they like.
 *
 * @example
 * const server = new AsynqServer({ redis, clock: new VirtualClock() });
 */
export interface Clock {
  /** Returns the wall clock time, in milliseconds since the Unix epoch. */
  now(): EpochMs;
  /** Returns a time that never goes back, in milliseconds with a fraction; only differences are meaningful. */
  monotonic(): Ms;
  /** Calls `run` once after `delay`. A delay of zero or less means as soon as possible. */
  setTimer(delay: Ms, run: () => void): Timer;
  /**
   * Whether the clock only moves when told, as in tests: it is not expected to agree with that of Redis or any other
   * clock.
   */
  readonly isVirtual?: boolean;
  /**
   * Only for a virtual clock, so that its wall clock is never set while a timer runs. Takes over the timers of periodic
   * work, so that a month can pass without half a million heartbeats.
   */
  readonly backgroundTimers?: BackgroundTimers | undefined;
}

/**
 * Timers of periodic work such as heartbeats, polls and reconciling, which fire when the owner of the clock decides.
 */
export interface BackgroundTimers {
  /** Keeps `run` until the owner of the clock calls it, once. */
  add(run: () => void): Timer;
}

/** Sets a timer for periodic work, with the clock's {@link BackgroundTimers} if it has any. */
export function setBackgroundTimer(
  clock: Pick<Clock, 'setTimer' | 'backgroundTimers'>,
  { delay, run }: { readonly delay: Ms; readonly run: () => void },
): Timer {
  return clock.backgroundTimers === undefined ? clock.setTimer(delay, run) : clock.backgroundTimers.add(run);
}

/** A source of uniform random numbers in [0, 1). */
export type Random = () => number;
