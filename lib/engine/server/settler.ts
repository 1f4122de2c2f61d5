import { ConditionVariable } from '../lifecycle/condition-variable.js';
import type { OutcomeWriter } from './outcome-writer.js';
import type { Run } from './run.js';
import type { Syncer } from './syncer.js';

export interface SettlerDeps {
  readonly writer: Pick<OutcomeWriter, 'write'>;
  /** Receives runs whose outcomes could not be written. */
  readonly syncer: Pick<Syncer, 'add'>;
}

interface Batch {
  readonly queue: string;
  runs: Run[];
}

/** Collects outcomes, so that those of one turn of the event loop go in one call per queue. */
export class Settler {
  readonly #batches = new Map<string, Batch>();
  #waiting = 0;
  /** Calls in progress. */
  #calls = 0;
  readonly #callsEnded = new ConditionVariable();

  constructor(private readonly deps: SettlerDeps) {}

  /** Keeps a run with a decided outcome for the next {@link flush}. */
  add(run: Run): void {
    let batch = this.#batches.get(run.queue);
    if (batch === undefined) this.#batches.set(run.queue, (batch = { queue: run.queue, runs: [] }));
    batch.runs.push(run);
    this.#waiting += 1;
  }

  /** Sends the waiting outcomes; the replies come later. */
  flush(): void {
    if (this.#waiting === 0) return;
    this.#waiting = 0;
    for (const batch of this.#batches.values()) {
      if (batch.runs.length === 0) continue;
      const { queue, runs } = batch;
      batch.runs = [];
      void this.#send(queue, runs);
    }
  }

  /** Resolves once every call that was sent has a reply. */
  async answered(): Promise<void> {
    await this.#callsEnded.waitUntil(() => this.#calls === 0);
  }

  async #send(queue: string, runs: readonly Run[]): Promise<void> {
    this.#calls += 1;
    const unsettled = await this.deps.writer.write(queue, runs);
    if (unsettled.length > 0) this.deps.syncer.add(unsettled);
    this.#calls -= 1;
    if (this.#calls === 0) this.#callsEnded.notifyAll();
  }
}
