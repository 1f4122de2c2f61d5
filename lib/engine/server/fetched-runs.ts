import type { Run } from './run.js';

/** Runs that were fetched and have not begun, in the order in which they arrived. */
export class FetchedRuns {
  #runs: Run[] = [];
  #next = 0;

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  add(run: Run): void {
    this.#runs.push(run);
  }

  /** The run that has waited longest. */
  take(): Run | undefined {
    const run = this.#runs[this.#next];
    this.#next += 1;
    if (this.#next >= this.#runs.length) this.#clear();
    return run;
  }

  takeAll(): readonly Run[] {
    const runs = this.#runs.slice(this.#next);
    this.#clear();
    return runs;
  }

  #clear(): void {
    this.#runs = [];
    this.#next = 0;
  }
}
