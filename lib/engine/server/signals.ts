/** Hears the signals that end a process; see {@link listenForSignals}. */
export interface SignalWatch {
  /** Resolves at the first SIGTERM or SIGINT. */
  readonly ended: Promise<void>;
  /** Leaves the signals to others again. */
  dispose(): void;
}

const numbers = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * The first SIGTERM or SIGINT asks for the end, a second one ends the process at once. SIGTSTP calls `onStop`, and no
 * longer suspends the process (spec/03 §3).
 */
export function listenForSignals(request: { readonly onStop: () => void }): SignalWatch {
  let end!: () => void;
  let asked = false;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const onEnd = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(128 + numbers[signal as keyof typeof numbers]);
    asked = true;
    end();
  };
  process.on('SIGTERM', onEnd);
  process.on('SIGINT', onEnd);
  // Windows has no such signal, and Node refuses to listen for it there.
  const stopSignals: readonly NodeJS.Signals[] = process.platform === 'win32' ? [] : ['SIGTSTP'];
  for (const signal of stopSignals) process.on(signal, request.onStop);
  return {
    ended,
    dispose() {
      process.off('SIGTERM', onEnd);
      process.off('SIGINT', onEnd);
      for (const signal of stopSignals) process.off(signal, request.onStop);
    },
  };
}
