import type { Run } from './run.js';

/**
 * Every run that a server answers for, oldest first. No `Set`: one that is long-lived and always changing leaves behind
 * tables that refer to each other, and through them every run lives on until the next full garbage collection
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

  /** Takes a run out, if it is in here. */
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

  /** The runs of this moment, whatever is added and deleted meanwhile. */
  [Symbol.iterator](): Iterator<Run> {
    const all: Run[] = [];
    for (let one = this.#first; one !== undefined; one = one.later) all.push(one);
    return all[Symbol.iterator]();
  }
}
