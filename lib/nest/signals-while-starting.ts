import { constants } from 'node:os';

const endSignals = ['SIGTERM', 'SIGINT'] as const;

/** Handles the signals that ask a process to end while the start of an application waits. */
export interface StartSignals {
  /** Stops handling the signals. */
  dispose(): void;
}

/**
 * Ends the process at SIGTERM or SIGINT, after `prepare`. Nest runs its signal hooks only once the start has ended, so
 * a waiting start would outlive the signal; and making the start fail would log a stack although nothing is wrong.
 */
export function listenWhileStarting(prepare: (signal: NodeJS.Signals) => Promise<void>): StartSignals {
  let isEnding = false;
  const onSignal = (signal: (typeof endSignals)[number]): void => {
    const exit = (): never => process.exit(128 + constants.signals[signal]);
    // A second signal ends the process at once.
    if (isEnding) exit();
    isEnding = true;
    void prepare(signal).finally(exit);
  };
  for (const signal of endSignals) process.on(signal, onSignal);
  return {
    dispose() {
      if (isEnding) return;
      for (const signal of endSignals) process.off(signal, onSignal);
    },
  };
}
