import type { Timer, BackgroundTimers } from '../model/time/clock.js';

interface WaitingTimer {
  readonly run: () => void;
  isCanceled: boolean;
}

/** Keeps the periodic work of the services, such as heartbeats and polls, until a test asks for it. */
export class ManualBackgroundTimers implements BackgroundTimers {
  #waiting = new Set<WaitingTimer>();

  add(run: () => void): Timer {
    const timer: WaitingTimer = { run, isCanceled: false };
    this.#waiting.add(timer);
    return {
      cancel: () => {
        timer.isCanceled = true;
        this.#waiting.delete(timer);
      },
    };
  }

  /** Runs everything that waits, once. What is added meanwhile waits for the next call. */
  runAll(): void {
    const due = this.#waiting;
    this.#waiting = new Set();
    for (const timer of due) if (!timer.isCanceled) timer.run();
  }
}
