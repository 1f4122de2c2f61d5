import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import type { Logger } from '../logger.js';

/** Logs a fault that may come thousands of times a second: the same text once in a while. */
export class RareLog {
  readonly #last = new Map<string, Ms>();

  constructor(private readonly deps: { readonly logger: Logger; readonly clock: Clock; readonly gap: Ms }) {}

  error(text: string): void {
    if (this.#isNew(text)) this.deps.logger.error(text);
  }

  warn(text: string): void {
    if (this.#isNew(text)) this.deps.logger.warn(text);
  }

  #isNew(text: string): boolean {
    const now = this.deps.clock.monotonic();
    const last = this.#last.get(text);
    if (last !== undefined && now - last < this.deps.gap) return false;
    // Texts with ids in them must not pile up.
    if (this.#last.size >= 100) this.#last.clear();
    this.#last.set(text, now);
    return true;
  }
}
