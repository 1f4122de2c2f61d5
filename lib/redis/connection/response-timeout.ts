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

/** Notices that a server owes replies and gives none: one timer for all, set anew when it fires, not at every reply. */
export class ResponseTimeout {
  #timer: Timer | undefined;

  constructor(private readonly deps: ResponseTimeoutDeps) {}

  /** A command was sent. */
  start(): void {
    if (this.#timer === undefined && this.deps.limit !== 'none') this.#arm(this.deps.limit);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delay: Ms): void {
    this.#timer = this.deps.clock.setTimer(delay, () => {
      this.#timer = undefined;
      this.#check();
    });
  }

  #check(): void {
    const { clock, limit, silentSince, onSilence } = this.deps;
    if (limit === 'none') return;
    for (let since = silentSince(); since !== undefined; since = silentSince()) {
      const left = limit - (clock.monotonic() - since);
      if (left > 0) return this.#arm(ms(left));
      onSilence();
    }
  }
}
