import type { Logger } from '../engine/logger.js';
import { sameKeypress } from '../engine/server/shutdown-signals.js';
import type { Clock } from '../model/time/clock.js';

/** Dependencies of {@link ProcessSignals}. */
export interface ProcessSignalsDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Stops fetching, for SIGTSTP. */
  readonly stopFetching: () => Promise<void>;
}

/**
 * Listens to the signals that Nest does not handle: SIGTSTP while servers run, which stops fetching as in Asynq, and a
 * second Ctrl-C while they drain, which ends the process at once. Other workers run the unfinished tasks once their
 * leases have expired.
 */
export class ProcessSignals {
  #listening: readonly (readonly [NodeJS.Signals, () => void])[] = [];

  constructor(private readonly deps: ProcessSignalsDeps) {}

  /** Call when the servers run. */
  running(): void {
    const { logger, stopFetching } = this.deps;
    // Windows has no such signal, and Node refuses to listen for it there.
    if (process.platform === 'win32') return;
    this.#listenTo('SIGTSTP', () => {
      logger.info('SIGTSTP: stopped fetching tasks; running tasks continue');
      void stopFetching();
    });
  }

  /** Call when the servers drain. */
  draining(): void {
    const { clock, logger } = this.deps;
    const since = clock.monotonic();
    this.#listenTo('SIGINT', () => {
      if (clock.monotonic() - since < sameKeypress) return;
      logger.warn('Interrupted again: the process ends at once; unfinished tasks run again once their leases expire');
      process.exit(130);
    });
  }

  /** Call when nothing runs any more. */
  ended(): void {
    for (const [signal, listener] of this.#listening) process.removeListener(signal, listener);
    this.#listening = [];
  }

  #listenTo(signal: NodeJS.Signals, listener: () => void): void {
    this.ended();
    this.#listening = [[signal, listener]];
    process.on(signal, listener);
  }
}
