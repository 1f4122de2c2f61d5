import { checkDuration, checkInstant } from '../model/options/check.js';
import type { Clock, Timer, BackgroundTimers } from '../model/time/clock.js';
import { type Duration, epochMs, type EpochMs, type Ms, ms, readDuration } from '../model/time/duration.js';

/** Options of a {@link VirtualClock}. */
export interface VirtualClockOptions {
  /** The first instant. Default 2026-03-01T12:00:00Z, in every run the same. */
  readonly now?: Date | string | undefined;
  /**
   * Awaited between two timers, in addition to promises; for example `() => connection.send('ping', [])`. Default:
   * nothing.
   */
  readonly settle?: (() => Promise<unknown>) | undefined;
  /**
   * Takes over the timers of periodic work; see {@link Clock.backgroundTimers}. Default: they are timers like others.
   */
  readonly backgroundTimers?: BackgroundTimers | undefined;
}

interface ArmedTimer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * A clock that moves only when told. Timers fire in order, each at its exact instant, and whatever they start can
 * finish before the next one.
 *
 * With a real Redis behind the code under test, say how to wait for it: `settle: () => connection.send('ping', [])`.
 *
 * @example
 * const clock = new VirtualClock();
 * await clock.advance('1h30m');
 */
export class VirtualClock implements Clock {
  readonly #start: number;
  readonly #settle: () => Promise<unknown>;
  readonly #timers = new Set<ArmedTimer>();
  readonly backgroundTimers: BackgroundTimers | undefined;
  readonly isVirtual = true;
  #now: number;
  #order = 0;

  /** @throws InvalidOptionError when `now` is not an instant. */
  constructor({ now = '2026-03-01T12:00:00Z', settle, backgroundTimers }: VirtualClockOptions = {}) {
    this.#start = checkInstant({ path: 'VirtualClock: now', value: new Date(now) });
    this.#now = this.#start;
    this.#settle = settle ?? (() => Promise.resolve());
    this.backgroundTimers = backgroundTimers;
  }

  /** The wall clock, milliseconds since the Unix epoch. */
  now(): EpochMs {
    return epochMs(this.#now);
  }

  /** Milliseconds since the clock was made; a {@link jump} counts, too. */
  monotonic(): Ms {
    return ms(this.#now - this.#start);
  }

  /** Calls `run` once, when the clock has advanced by `delay`. */
  setTimer(delay: Ms, run: () => void): Timer {
    const timer: ArmedTimer = { at: this.#now + Math.max(0, delay), order: this.#order++, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** How many timers are armed: zero once everything has been stopped. */
  get armedTimers(): number {
    return this.#timers.size;
  }

  /** When the next timer fires; `undefined` when none is armed. */
  get nextTimerAt(): EpochMs | undefined {
    const next = this.#next();
    return next === undefined ? undefined : epochMs(next.at);
  }

  /**
   * Advances the clock by `by` and fires the timers that become due. @throws InvalidOptionError when that is not a
   * duration.
   */
  async advance(by: Duration): Promise<void> {
    const length = checkDuration({ path: 'VirtualClock: advance', value: by });
    await this.advanceTo(epochMs(this.#now + length));
  }

  /** Advances the clock to `instant` and fires the timers that become due. */
  async advanceTo(instant: EpochMs): Promise<void> {
    await this.settle();
    for (let timer = this.#next(); timer !== undefined && timer.at <= instant; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.run();
      await this.settle();
    }
    this.#now = Math.max(this.#now, instant);
    await this.settle();
  }

  /** Moves the clock to `instant` at once: timers fire in order at their instants, without awaiting what they start. */
  moveTo(instant: EpochMs): void {
    for (let timer = this.#next(); timer !== undefined && timer.at <= instant; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.run();
    }
    this.#now = Math.max(this.#now, instant);
  }

  /** Moves the wall clock, forward or back, without firing timers, like a machine that slept or whose clock was set. */
  jump(by: Duration): void {
    this.#now += readDuration(by) ?? checkDuration({ path: 'VirtualClock: jump', value: by });
  }

  /** Lets everything in progress that needs no more time finish. */
  async settle(): Promise<void> {
    await eventLoopTurns(5);
    await this.#settle();
    await eventLoopTurns(5);
  }

  #next(): ArmedTimer | undefined {
    let next: ArmedTimer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** Lets the event loop turn: promises, immediates and input that is there are handled. */
export async function eventLoopTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
}
