import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import { waitFor } from '../../model/time/wait.js';

/** How long to wait for something. */
export interface TimeLimit {
  readonly clock: Clock;
  readonly limit: Ms | 'none';
  /** Ends the waiting early. */
  readonly signal: AbortSignal;
}

/**
 * Waits for something.
 *
 * @throws BrokerUnavailableError when it takes longer than the limit, or the signal ends the wait.
 */
export async function withinLimit<T>(wanted: Promise<T>, { clock, limit, signal }: TimeLimit): Promise<T> {
  const waited = await waitFor(wanted, limit === 'none' ? { signal } : { clock, limit, signal });
  if (waited.ended === 'in-time') return waited.value;
  if (waited.ended === 'aborted') throw new BrokerUnavailableError('the connection was closed');
  throw new BrokerUnavailableError(`there was no answer within ${limit} ms`);
}
