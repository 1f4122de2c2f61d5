import type { Clock } from '../../model/time/clock.js';
import { ms } from '../../model/time/duration.js';

/** Handles the signals that end a process; see {@link listenForSignals}. */
export interface SignalWatch {
  /** Resolves at the first SIGTERM or SIGINT. */
  readonly ended: Promise<void>;
  /** Stops handling the signals. */
  dispose(): void;
}

/** One Ctrl-C can arrive twice: from the terminal, and forwarded by npm. */
export const sameKeypress = ms(500);

const numbers = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Handles process signals: the first SIGTERM or SIGINT asks for the end, a second one ends the process at once. SIGTSTP
 * calls `onStop` and no longer suspends the process (S-24).
 */
export function listenForSignals(request: { readonly clock: Clock; readonly onStop: () => void }): SignalWatch {
  const { clock } = request;
  let end!: () => void;
  let askedAt: number | undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const onEnd = (signal: NodeJS.Signals): void => {
    const now = clock.monotonic();
    if (askedAt === undefined) {
      askedAt = now;
      return end();
    }
    if (signal === 'SIGINT' && now - askedAt < sameKeypress) return;
    process.exit(128 + numbers[signal as keyof typeof numbers]);
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
