import type { EpochMs, Ms } from './duration.js';

/** A timer that was set on a {@link Clock}. */
export interface Timer {
  /** Forgets the timer; harmless when it has already fired. */
  cancel(): void;
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
   * Only on a clock that moves when told, and whose wall clock therefore is never set while a timer runs: takes over
   * what is done every so often just in case, so that a month can pass without half a million beats.
   */
  readonly upkeep?: Upkeep | undefined;
}

/** Whoever does what would otherwise be done every so often: beats, polls, slow looks at everything. */
export interface Upkeep {
  /** Keeps `run` until the owner of the clock wants it called, once. */
  add(run: () => void): Timer;
}

/** A source of uniform random numbers in [0, 1). */
export type Random = () => number;
