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
 * The instant by which something expires: the later of what a caller says and what the broker's own clock says. Redis
 * goes by its own clock alone; a caller who is ahead of it and says so is believed.
 */
export function expiryInstant({ clock }: Pick<MemoryContext, 'clock'>, now: EpochMs): EpochMs {
  const own = clock.now();
  return own > now ? own : now;
}

/** Whether a broker may still be used, and who is told when it may not. */
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

/** What calls after the end are refused with. */
export function closedError(): InvalidStateError {
  return new InvalidStateError('The broker in memory is closed');
}
