import type { Clock, Timer } from '../../model/time/clock.js';
import { type Ms, ms } from '../../model/time/duration.js';

export interface ResponseTimeoutDeps {
  readonly clock: Clock;
  /** How long the server may say nothing while it owes a reply. */
  readonly limit: Ms | 'none';
  /** Since when it has owed something and said nothing; `undefined` when it owes nothing. */
  readonly silentSince: () => Ms | undefined;
  /** Whether bytes have gone out since this was asked last. */
  readonly hasSent: () => boolean;
  /** The limit has passed. Whoever has been told, owes nothing for this silence any more. */
  readonly onSilence: () => void;
}

const looksPerLimit = 5;

/**
 * Notices that a server owes replies and gives none: one timer for all, which looks a few times within the limit and not
 * at every reply.
 *
 * - Time in which this process itself stood still does not count: a look that comes late is followed by another, since
 *   replies may lie in the socket unread.
 * - Neither does time in which a long write goes out. The answer to it may take as long as that did: the last of it still
 *   waits in the system when this process has got rid of it.
 */
export class ResponseTimeout {
  #timer: Timer | undefined;
  /** How long this process stood still while the present silence lasted, and when it last did. */
  #standstill = 0;
  #standstillEndedAt = 0;
  /** When bytes were last seen to have gone out. */
  #sentUntil = 0;

  constructor(private readonly deps: ResponseTimeoutDeps) {}

  /** A command was sent. */
  start(): void {
    const { limit, hasSent } = this.deps;
    if (this.#timer !== undefined || limit === 'none') return;
    hasSent();
    this.#arm(limit, limit);
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
    const { clock, silentSince, hasSent, onSilence } = this.deps;
    const now = clock.monotonic();
    const part = limit / looksPerLimit;
    if (late > part) {
      this.#standstill += late;
      this.#standstillEndedAt = now;
    }
    if (hasSent()) this.#sentUntil = now;
    for (let since = silentSince(); since !== undefined; since = silentSince()) {
      const quietSince = Math.max(since, this.#sentUntil);
      if (quietSince >= this.#standstillEndedAt) this.#standstill = 0;
      const left = Math.max(limit, quietSince - since) - (now - quietSince - this.#standstill);
      if (left > 0 || late > part) return this.#arm(limit, late > part ? part : left);
      onSilence();
    }
  }
}
