import type { StorageNotices } from '../model/broker/storage-notice.js';
import { InvalidStateError } from '../model/errors/state-errors.js';
import type { Clock } from '../model/time/clock.js';
import type { EpochMs } from '../model/time/duration.js';
import type { MemoryStore } from './memory-state.js';

/** What the parts of a {@link MemoryBroker} share. */
export interface MemoryContext {
  readonly store: MemoryStore;
  readonly clock: Clock;
  readonly lifetime: MemoryLifetime;
  readonly notices: StorageNotices;
}

/**
 * Returns the instant for expiry: the later of the caller's time and the broker's own clock. Redis uses only its own
 * clock; here a caller that is ahead is believed.
 */
export function expiryInstant({ clock }: Pick<MemoryContext, 'clock'>, now: EpochMs): EpochMs {
  const own = clock.now();
  return own > now ? own : now;
}

/** Tracks whether a broker may still be used, and signals when it is closed. */
export class MemoryLifetime {
  readonly #closed = new AbortController();

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Aborted when the broker is closed. */
  get ended(): AbortSignal {
    return this.#closed.signal;
  }

  /** @throws InvalidStateError when the broker is closed. */
  refuseClosed(): void {
    if (this.isClosed) throw closedError();
  }

  close(): void {
    this.#closed.abort();
  }
}

/** Returns the error of calls after the broker was closed. */
export function closedError(): InvalidStateError {
  return new InvalidStateError('The broker in memory is closed');
}
