import type { Clock, Timer } from '../../model/time/clock.js';
import { type Ms, ms } from '../../model/time/duration.js';

export interface ResponseTimeoutDeps {
  readonly clock: Clock;
  /** How long the server may say nothing while it owes a reply. */
  readonly limit: Ms | 'none';
  /** Since when it has owed something and said nothing; `undefined` when it owes nothing. */
  readonly silentSince: () => Ms | undefined;
  /** The limit has passed. Whoever has been told, owes nothing for this silence any more. */
  readonly onSilence: () => void;
}

const looksPerLimit = 5;

/**
 * Notices that a server owes replies and gives none: one timer for all, which looks a few times within the limit and not
 * at every reply. Time in which this process itself stood still does not count: a look that comes late is followed by
 * another, since replies may lie in the socket unread.
 */
export class ResponseTimeout {
  #timer: Timer | undefined;
  /** How long this process stood still while the present silence lasted, and when it last did. */
  #standstill = 0;
  #standstillEndedAt = 0;

  constructor(private readonly deps: ResponseTimeoutDeps) {}

  /** A command was sent. */
  start(): void {
    const { limit } = this.deps;
    if (this.#timer === undefined && limit !== 'none') this.#arm(limit, limit);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(limit: Ms, left: number): void {
    const { clock } = this.deps;
    const delay = Math.min(left, limit / looksPerLimit);
    const dueAt = clock.monotonic() + delay;
    this.#timer = clock.setTimer(ms(delay), () => {
      this.#timer = undefined;
      this.#look(limit, clock.monotonic() - dueAt);
    });
  }

  #look(limit: Ms, late: number): void {
    const { clock, silentSince, onSilence } = this.deps;
    const now = clock.monotonic();
    const part = limit / looksPerLimit;
    if (late > part) {
      this.#standstill += late;
      this.#standstillEndedAt = now;
    }
    for (let since = silentSince(); since !== undefined; since = silentSince()) {
      if (since >= this.#standstillEndedAt) this.#standstill = 0;
      const left = limit - (now - since - this.#standstill);
      if (left > 0 || late > part) return this.#arm(limit, late > part ? part : left);
      onSilence();
    }
  }
}
