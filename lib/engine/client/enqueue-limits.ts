import type { Clock, Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';

/** Something that waits to be sent. */
export interface Limited {
  /** Monotonic time after which it is no longer sent; postponed by time that does not count. */
  giveUpAt: Ms;
}

export interface EnqueueLimitsDeps {
  readonly clock: Clock;
  /** What is waiting, longest first. */
  readonly waiting: () => readonly Limited[];
  /** Whether a large task is being sent to Redis. */
  readonly isTransferring: () => boolean;
  /** Called when limits may have passed. */
  readonly onLook: (now: Ms) => void;
}

/** How often to check for passed limits. */
const lookEvery = ms(1_000);
/** A turn of the event loop that takes longer, or a check that comes later, means that the loop was blocked. */
const longTurn = 100;

/**
 * Measures for how long tasks wait while Redis cannot be reached, with one timer for all of them. Two things do not
 * count:
 *
 * - time in which the event loop was blocked, since replies could not be received either;
 * - time until Redis answered another call, or in which a large task was being sent to it: the tasks are queued behind
 *   it,
 *   and there is no outage.
 */
export class EnqueueLimits {
  #timer: Timer | undefined;
  /** The time up to which waiting was counted; `undefined` while nothing waits. */
  #countedUntil: Ms | undefined;
  /** When Redis last answered a call. */
  #answeredAt: Ms = ms(0);

  constructor(private readonly deps: EnqueueLimitsDeps) {}

  /** Call when something starts to wait, or nothing waits any more. */
  watch(): void {
    const [first] = this.deps.waiting();
    if (first === undefined) this.#countedUntil = undefined;
    if (this.#timer !== undefined || first === undefined) return;
    const { clock } = this.deps;
    const now = clock.monotonic();
    this.#countedUntil ??= now;
    const lookAt = Math.min(first.giveUpAt, now + lookEvery);
    this.#timer = clock.setTimer(ms(lookAt - now), () => {
      this.#timer = undefined;
      const isLate = clock.monotonic() - lookAt > longTurn;
      // The awaited reply may be unread in the socket: the time since the last check does not count at all.
      if (isLate) this.#putOff(clock.monotonic() - now);
      this.#look(clock.monotonic());
    });
  }

  /** Call at the end of a turn of the event loop that began at `begunAt`. */
  turnEnded(begunAt: Ms): void {
    const took = this.deps.clock.monotonic() - begunAt;
    if (took > longTurn) this.#putOff(took);
  }

  /** Call when Redis has answered a call. */
  answered(): void {
    this.#answeredAt = this.deps.clock.monotonic();
  }

  /** Stops checking until {@link watch}. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#countedUntil = undefined;
  }

  #look(now: Ms): void {
    const { isTransferring, onLook } = this.deps;
    const aliveAt = isTransferring() ? now : this.#answeredAt;
    if (this.#countedUntil !== undefined && aliveAt > this.#countedUntil) this.#putOff(aliveAt - this.#countedUntil);
    onLook(now);
  }

  /** Postpones all limits by time that does not count. */
  #putOff(by: number): void {
    for (const task of this.deps.waiting()) task.giveUpAt = ms(task.giveUpAt + by);
    if (this.#countedUntil !== undefined) this.#countedUntil = ms(this.#countedUntil + by);
  }
}
