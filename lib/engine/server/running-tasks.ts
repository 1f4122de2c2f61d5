import type { Execution } from './execution.js';

/**
 * Every run that a server answers for, oldest first. No `Set`: one that is long-lived and always changing leaves behind
 * tables that refer to each other, and through them every run lives on until the next full garbage collection
 * (`node --trace-gc`, or `npm run bench -- --only process`).
 */
export class RunningTasks implements Iterable<Execution> {
  #first: Execution | undefined;
  #last: Execution | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(execution: Execution): void {
    execution.earlier = this.#last;
    if (this.#last === undefined) this.#first = execution;
    else this.#last.later = execution;
    this.#last = execution;
    this.#size += 1;
  }

  /** Takes a run out, if it is in here. */
  delete(execution: Execution): void {
    const { earlier, later } = execution;
    if (earlier === undefined && this.#first !== execution) return;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    execution.earlier = execution.later = undefined;
    this.#size -= 1;
  }

  /** The runs of this moment, whatever is added and deleted meanwhile. */
  [Symbol.iterator](): Iterator<Execution> {
    const all: Execution[] = [];
    for (let one = this.#first; one !== undefined; one = one.later) all.push(one);
    return all[Symbol.iterator]();
  }
}
