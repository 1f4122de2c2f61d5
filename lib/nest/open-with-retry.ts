import type { Logger } from '../engine/logger.js';
import type { Broker } from '../model/broker/broker.js';
import { BrokerUnavailableError } from '../model/errors/broker-errors.js';
import type { Clock } from '../model/time/clock.js';
import { ms } from '../model/time/duration.js';

const pause = ms(1_000);
const reminderEvery = ms(30_000);

/** What waiting for Redis needs. */
export interface RetryContext {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the waiting with its reason. */
  readonly signal: AbortSignal;
}

/**
 * Opens a broker, however long Redis takes to be there.
 *
 * @throws UnsupportedRedisError when Redis is there and too old; the signal's reason when it is aborted.
 */
export async function openWithRetry(broker: Broker, { clock, logger, signal }: RetryContext): Promise<void> {
  let lastSaid: number | undefined;
  const remind = (error: Error): void => {
    const now = clock.monotonic();
    if (lastSaid !== undefined && now - lastSaid < reminderEvery) return;
    logger.warn(`The start of the application waits for Redis: ${error.message}`);
    lastSaid = now;
  };
  // The first attempt may fail long before `open` gives up.
  const stopListening = broker.onAvailability((news) => {
    if (news.kind === 'down') remind(news.error);
  });
  try {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await untilAborted(broker.open(), signal);
      } catch (error) {
        if (signal.aborted || !(error instanceof BrokerUnavailableError)) throw error;
        remind(error);
      }
      await rest(clock, signal);
    }
  } finally {
    stopListening();
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = withRejecter<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work, aborted]);
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
    const timer = clock.setTimer(pause, finish);
    signal.addEventListener('abort', finish);
  });
}

function withRejecter<T>(): { readonly promise: Promise<T>; readonly reject: (error: unknown) => void } {
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((_resolve, rejectIt) => {
    reject = rejectIt;
  });
  return { promise, reject };
}
