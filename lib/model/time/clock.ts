import type { EpochMs, Ms } from './duration.js';

/** A timer that was set on a {@link Clock}. */
export interface Timer {
  /** Forgets the timer; harmless when it has already fired. */
  cancel(): void;
  /** Lets the process end without waiting for the timer; left out by clocks whose timers hold no process. */
  unref?(): void;
}

/**
 * Where the library reads the time and sets timers. Nothing else does, so tests can move time as they like.
 *
 * @example
 * const server = new AsynqServer({ redis, clock: new VirtualClock() });
 */
export interface Clock {
  /** The wall clock, milliseconds since the Unix epoch. */
  now(): EpochMs;
  /** A reading that never goes back, in milliseconds with a fraction; only differences mean something. */
  monotonic(): Ms;
  /** Calls `run` once after `delay`. A delay of zero or less means as soon as possible. */
  setTimer(delay: Ms, run: () => void): Timer;
  /**
   * True on a clock that moves when told, as in tests: it is not expected to agree with that of Redis, or of anybody else.
   */
  readonly isVirtual?: boolean;
  /**
   * Only on a clock that moves when told, so that its wall clock is never set while a timer runs. Takes over the timers
   * of periodic work, so that a month can pass without half a million heartbeats.
   */
  readonly backgroundTimers?: BackgroundTimers | undefined;
}

/** Timers of periodic work such as heartbeats, polls and reconciling, which fire when the owner of the clock says so. */
export interface BackgroundTimers {
  /** Keeps `run` until the owner of the clock calls it, once. */
  add(run: () => void): Timer;
}

/** Sets a timer for periodic work: on the clock's own {@link BackgroundTimers} where it has some. */
export function setBackgroundTimer(
  clock: Pick<Clock, 'setTimer' | 'backgroundTimers'>,
  { delay, run }: { readonly delay: Ms; readonly run: () => void },
): Timer {
  return clock.backgroundTimers === undefined ? clock.setTimer(delay, run) : clock.backgroundTimers.add(run);
}

/** A source of uniform random numbers in [0, 1). */
export type Random = () => number;
