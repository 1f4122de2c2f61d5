import type { Broker } from '../../model/broker/broker.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock } from '../../model/time/clock.js';
import { ms } from '../../model/time/duration.js';
import { pause, startLimit, waitFor } from '../../model/time/wait.js';
import type { Logger } from '../logger.js';
import { reminderEvery, silentFor } from './broker-monitor.js';

const restAfterFailure = ms(1_000);

/** How to open a broker. */
export interface OpeningDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the waiting with the signal's reason. */
  readonly signal: AbortSignal;
  /** `'once'` waits as long as the broker does, `'until-open'` however long it takes. */
  readonly tries: 'once' | 'until-open';
}

/**
 * Opens a broker and logs when that takes longer than two seconds: where it should be, why it cannot be reached, and
 * that it keeps trying.
 *
 * @throws whatever opening the broker throws, except a BrokerUnavailableError with `'until-open'`; the signal's reason
 * when that is aborted.
 */
export async function waitForBroker(broker: Broker, deps: OpeningDeps): Promise<void> {
  const { clock, logger, signal } = deps;
  signal.throwIfAborted();
  let reason = `${broker.describe()} does not answer`;
  const say = (): void => {
    logger.warn(`${reason}; still trying`);
    timer = startLimit(clock, reminderEvery, say);
  };
  let timer = startLimit(clock, silentFor, say);
  const stopListening = broker.onAvailability((news) => {
    if (news.kind === 'down') reason = news.error.message;
  });
  try {
    await waitFor(deps.tries === 'once' ? broker.open() : openUntilDone(broker, deps), { signal });
    signal.throwIfAborted();
  } finally {
    stopListening();
    timer.cancel();
  }
}

async function openUntilDone(broker: Broker, { clock, signal }: OpeningDeps): Promise<void> {
  while (!signal.aborted) {
    try {
      return await broker.open();
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
    }
    await pause(restAfterFailure, { clock, signal });
  }
}
