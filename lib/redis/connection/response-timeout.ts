import type { Clock, Timer } from '../../model/time/clock.js';
import { type Ms, ms } from '../../model/time/duration.js';

export interface ResponseTimeoutDeps {
  readonly clock: Clock;
  /** How long the server may send nothing while it owes a reply. */
  readonly limit: Ms | 'none';
  /** Returns since when it has owed something and sent nothing; `undefined` if it owes nothing. */
  readonly silentSince: () => Ms | undefined;
  /** Whether bytes have gone out since the last call. */
  readonly hasSent: () => boolean;
  /** Called when the limit has passed; the server then owes nothing for this silence any more. */
  readonly onSilence: () => void;
}

const looksPerLimit = 5;

/**
 * Notices when a server owes replies and sends none. One timer serves all: it checks a few times within the limit, not
 * at every reply.
 *
 * - Time in which the event loop was blocked does not count: a late check is followed by another, since replies may be
 *   unread in
 *   the socket.
 * - Nor does time in which a long write goes out. The reply to it may take as long as the write did: the end of it
 *   still waits in
 *   the operating system when this process has passed it on.
 */
export class ResponseTimeout {
  #timer: Timer | undefined;
  /** How long the event loop was blocked during the current silence, and when it last was. */
  #standstill = 0;
  #standstillEndedAt = 0;
  /** When bytes were last seen going out. */
  #sentUntil = 0;

  constructor(private readonly deps: ResponseTimeoutDeps) {}

  /** Notes that a command was sent. */
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
