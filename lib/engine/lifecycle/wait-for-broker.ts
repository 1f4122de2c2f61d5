import type { Broker } from '../../model/broker/broker.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock } from '../../model/time/clock.js';
import { ms } from '../../model/time/duration.js';
import type { Logger } from '../logger.js';

const silentFor = ms(2_000);
const reminderEvery = ms(30_000);
const restAfterFailure = ms(1_000);

/** How a broker is opened. */
export interface OpeningDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the waiting with its reason. */
  readonly signal: AbortSignal;
  /** `'once'` waits for as long as the broker does, `'until-open'` for as long as it takes. */
  readonly tries: 'once' | 'until-open';
}

/**
 * Opens a broker, and says so when that takes longer than two seconds: where it should be, why it cannot be reached, and
 * that the waiting goes on.
 *
 * @throws what opening the broker throws, but for a BrokerUnavailableError when it is tried until it is open; the signal's
 * reason when that is aborted.
 */
export async function waitForBroker(broker: Broker, deps: OpeningDeps): Promise<void> {
  const { clock, logger, signal } = deps;
  signal.throwIfAborted();
  let reason = `${broker.describe()} does not answer`;
  const say = (): void => {
    logger.warn(`${reason}; still trying`);
    timer = clock.setTimer(reminderEvery, say);
  };
  let timer = clock.setTimer(silentFor, say);
  const stopListening = broker.onAvailability((news) => {
    if (news.kind === 'down') reason = news.error.message;
  });
  try {
    await untilAborted(deps.tries === 'once' ? broker.open() : openUntilDone(broker, deps), signal);
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
    await rest(clock, signal);
  }
}

async function untilAborted(opening: Promise<void>, signal: AbortSignal): Promise<void> {
  let onAbort!: () => void;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = (): void => reject(signal.reason);
  });
  signal.addEventListener('abort', onAbort);
  try {
    await Promise.race([opening, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function rest(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.setTimer(restAfterFailure, finish);
    signal.addEventListener('abort', finish);
  });
}
