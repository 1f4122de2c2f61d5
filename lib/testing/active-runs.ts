import type { TaskMessage } from '../model/task/task-message.js';
import type { EpochMs } from '../model/time/duration.js';

/** A task that was passed to a server and whose outcome is not stored yet. */
export interface ActiveRun {
  readonly message: TaskMessage;
  readonly queue: string;
  /** When its lease ends, as far as its server has asked. */
  leaseUntil: EpochMs;
  /** Whether its worker has crashed: nothing it does reaches storage. */
  isCrashed: boolean;
  /** Whether its handler waits for time to pass, so that it is not awaited. */
  isParked: boolean;
  /** Lets another worker recover the task. */
  readonly takeAway: (now: EpochMs) => Promise<void>;
}

/** The tasks that the servers of an application hold. */
export class ActiveRuns {
  /** Runs of one task, the latest last: one that lost its lease may still be at work when the next begins. */
  readonly #runs = new Map<string, ActiveRun[]>();
  /** Crashed and ended runs; the broker still holds their leases. */
  readonly #orphans = new Map<string, ActiveRun>();

  get all(): readonly ActiveRun[] {
    return [...this.#runs.values()].flat();
  }

  /** Returns the runs whose handlers are awaited. */
  get awaited(): readonly ActiveRun[] {
    return this.all.filter(({ isParked }) => !isParked);
  }

  /** Returns the latest run of a task. */
  find(queue: string, id: string): ActiveRun | undefined {
    return this.#runs.get(keyOf(queue, id))?.at(-1);
  }

  take(run: Pick<ActiveRun, 'message' | 'queue' | 'leaseUntil' | 'takeAway'>): ActiveRun {
    const taken: ActiveRun = { ...run, isCrashed: false, isParked: false };
    const key = keyOf(run.queue, run.message.id);
    this.#runs.set(key, [...(this.#runs.get(key) ?? []), taken]);
    return taken;
  }

  /** The outcome of a run is stored (the latest one's), or is nobody's business any more (the earliest one's). */
  end(queue: string, { id, outcome }: { readonly id: string; readonly outcome: 'settled' | 'not-active' }): void {
    const key = keyOf(queue, id);
    const runs = this.#runs.get(key) ?? [];
    const ended = outcome === 'settled' ? runs.pop() : runs.shift();
    if (runs.length === 0) this.#runs.delete(key);
    if (ended?.isCrashed === true) this.#orphans.set(key, ended);
  }

  /** Whether the last run of this task ended with the death of its worker. */
  isOrphan(queue: string, id: string): boolean {
    return this.#orphans.has(keyOf(queue, id));
  }

  /** Notes that a task of a dead worker was recovered. */
  recovered(queue: string, id: string): void {
    this.#orphans.delete(keyOf(queue, id));
  }

  clear(): void {
    this.#runs.clear();
    this.#orphans.clear();
  }
}

function keyOf(queue: string, id: string): string {
  return JSON.stringify([queue, id]);
}
