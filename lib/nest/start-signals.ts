import { constants } from 'node:os';

const endSignals = ['SIGTERM', 'SIGINT'] as const;

/** The signals that ask a process to end, while the start of an application waits for something. */
export interface StartSignals {
  /** Leaves the signals to others again. */
  dispose(): void;
}

/**
 * Ends the process at SIGTERM or SIGINT, after `prepare`. Nest runs its hooks for a signal once the start has ended, so a
 * start that waits would outlive it; and a start that is made to fail would log a stack where nothing is wrong.
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
