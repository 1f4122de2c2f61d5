import type { Clock, Timer } from '../../model/time/clock.js';
import { elapsed, type EpochMs, ms } from '../../model/time/duration.js';

export interface EarliestTimerDeps {
  readonly clock: Clock;
  /** Called when the instant has come; returns the next one, if any. */
  readonly onFire: (now: EpochMs) => EpochMs | undefined;
}

/** A wall clock may be set while a timer runs; reading it again after this long keeps the error small. */
const maxDelay = ms(60_000);

/** One timer for any number of instants; it is set to the earliest one. */
export class EarliestTimer {
  #at: EpochMs | undefined;
  #timer: Timer | undefined;

  constructor(private readonly deps: EarliestTimerDeps) {}

  /** Makes sure that the timer fires at `at`, or earlier. */
  fireBy(at: EpochMs): void {
    if (this.#at !== undefined && this.#at <= at) return;
    this.#at = at;
    this.#arm(at);
  }

  /** Forgets everything. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#at = undefined;
  }

  #arm(at: EpochMs): void {
    this.#timer?.cancel();
    // A timer may fire slightly early by the wall clock; the remainder is then at least a millisecond.
    const delay = ms(Math.max(1, elapsed(this.deps.clock.now(), at)));
    const { clock } = this.deps;
    const isExact = clock.backgroundTimers !== undefined;
    this.#timer = clock.setTimer(isExact || delay < maxDelay ? delay : maxDelay, () => this.#wake(at));
  }

  #wake(at: EpochMs): void {
    const now = this.deps.clock.now();
    if (now < at) return this.#arm(at);
    this.#at = undefined;
    const next = this.deps.onFire(now);
    if (next !== undefined) this.fireBy(next);
  }
}
