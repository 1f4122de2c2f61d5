import type { Timer, Upkeep } from '../model/time/clock.js';

interface Duty {
  readonly run: () => void;
  isCanceled: boolean;
}

/** Keeps what the services would do every so often until it is wanted: beats, polls, slow looks at everything. */
export class ManualUpkeep implements Upkeep {
  #waiting = new Set<Duty>();

  add(run: () => void): Timer {
    const duty: Duty = { run, isCanceled: false };
    this.#waiting.add(duty);
    return {
      cancel: () => {
        duty.isCanceled = true;
        this.#waiting.delete(duty);
      },
    };
  }

  /** Does everything that waits, once; what is added by that waits for the next time. */
  runAll(): void {
    const due = this.#waiting;
    this.#waiting = new Set();
    for (const duty of due) if (!duty.isCanceled) duty.run();
  }
}
