import type { Clock, Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';

/** Something that waits to be sent. */
export interface Limited {
  /** Monotonic reading after which it is no longer sent; put off by what does not count. */
  giveUpAt: Ms;
}

export interface EnqueueLimitsDeps {
  readonly clock: Clock;
  /** What waits, the one that has waited longest first. */
  readonly waiting: () => readonly Limited[];
  /** Whether something heavy is on its way to Redis. */
  readonly isTransferring: () => boolean;
  /** Limits may have passed. */
  readonly onLook: (now: Ms) => void;
}

/** How often to look for limits that have passed. */
const lookEvery = ms(1_000);
/** A turn of the event loop that takes longer, or a look that comes later, tells of a standstill. */
const longTurn = 100;

/**
 * Measures for how long tasks wait while Redis cannot be reached, with one timer for all of them. Two things do not count:
 *
 * - time in which this process stood still, since so did everything that was on its way to it;
 * - time until Redis answered another call, or in which something heavy was on its way to it: they queue, and there is no
 *   outage.
 */
export class EnqueueLimits {
  #timer: Timer | undefined;
  /** What passed until then was looked at; `undefined` while nothing waits. */
  #countedUntil: Ms | undefined;
  /** When Redis answered a call last. */
  #answeredAt: Ms = ms(0);

  constructor(private readonly deps: EnqueueLimitsDeps) {}

  /** Something waits, or nothing does any more. */
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
      // What was waited for may lie in the socket unread: the time since the last look does not count at all.
      if (isLate) this.#putOff(clock.monotonic() - now);
      this.#look(clock.monotonic());
    });
  }

  /** A turn of the event loop ends that began at `begunAt`. */
  turnEnded(begunAt: Ms): void {
    const took = this.deps.clock.monotonic() - begunAt;
    if (took > longTurn) this.#putOff(took);
  }

  /** Redis has answered a call. */
  answered(): void {
    this.#answeredAt = this.deps.clock.monotonic();
  }

  /** Looks no more until {@link watch}. */
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

  /** Time that does not count is not looked at again. */
  #putOff(by: number): void {
    for (const task of this.deps.waiting()) task.giveUpAt = ms(task.giveUpAt + by);
    if (this.#countedUntil !== undefined) this.#countedUntil = ms(this.#countedUntil + by);
  }
}
