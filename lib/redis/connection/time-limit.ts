import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import { startLimit } from '../../model/time/start-limit.js';

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
 * @throws BrokerUnavailableError when it takes longer than the limit, or the signal ends the waiting.
 */
export function withinLimit<T>(wanted: Promise<T>, timeLimit: TimeLimit): Promise<T> {
  const { clock, limit, signal } = timeLimit;
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const giveUp = (): void => settle(() => reject(new BrokerUnavailableError('the connection was closed')));
    const settle = (outcome: () => void): void => {
      timer?.cancel();
      signal.removeEventListener('abort', giveUp);
      outcome();
    };
    wanted.then(
      (value) => settle(() => resolve(value)),
      (error: Error) => settle(() => reject(error)),
    );
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp);
    if (limit === 'none') return;
    timer = startLimit(clock, limit, () =>
      settle(() => reject(new BrokerUnavailableError(`there was no answer within ${limit} ms`))),
    );
  });
}

/** Waits for the limit to pass, or for the signal. */
export async function pause(timeLimit: TimeLimit): Promise<void> {
  await withinLimit(new Promise<never>(() => {}), timeLimit).catch(() => {});
}
