import type { Run } from './run.js';

/**
 * Every run of a server, oldest first. This is not a `Set`: a long-lived, constantly changing `Set` leaves behind
 * tables that refer to each other, and through them every run stays in memory until the next full garbage collection
 * (`node --trace-gc`, or `npm run bench -- --only process`).
 */
export class RunList implements Iterable<Run> {
  #first: Run | undefined;
  #last: Run | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(run: Run): void {
    run.earlier = this.#last;
    if (this.#last === undefined) this.#first = run;
    else this.#last.later = run;
    this.#last = run;
    this.#size += 1;
  }

  /** Removes a run, if it is in the list. */
  delete(run: Run): void {
    const { earlier, later } = run;
    if (earlier === undefined && this.#first !== run) return;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    run.earlier = run.later = undefined;
    this.#size -= 1;
  }

  /** Iterates over the runs of this moment, whatever is added and deleted in the meantime. */
  [Symbol.iterator](): Iterator<Run> {
    const all: Run[] = [];
    for (let one = this.#first; one !== undefined; one = one.later) all.push(one);
    return all[Symbol.iterator]();
  }
}
