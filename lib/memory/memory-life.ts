import { InvalidStateError } from '../model/errors/state-errors.js';

/** Whether a broker may still be used, and who is told when it may not. */
export class MemoryLife {
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
