import { skewAllowance } from '../model/broker/lifetimes.js';
import type { MemoryQueue, MemoryStore, MemoryTask } from '../memory/memory-state.js';
import { decodeTaskMessage } from '../model/task/task-message.codec.js';
import type { TaskMessage } from '../model/task/task-message.js';
import type { TaskState } from '../model/task/task-state.js';
import { addMs, type EpochMs, epochMs, fromEpochSeconds, toEpochSeconds } from '../model/time/duration.js';

/** A task as it is stored now. */
export interface StoredRecord {
  readonly store: MemoryStore;
  readonly id: string;
  readonly queue: string;
  readonly task: MemoryTask;
  readonly message: TaskMessage;
  /** When it is due; only while it waits for that. */
  readonly dueAt: EpochMs | undefined;
}

/** Reads what the brokers of an application store. */
export class StoredTasks {
  constructor(private readonly stores: () => readonly MemoryStore[]) {}

  /** Every task whose record decodes, queue by queue. */
  all(): readonly StoredRecord[] {
    return this.stores().flatMap((store) =>
      [...store.queues.values()].flatMap((queue) =>
        [...queue.tasks].flatMap(([id, task]) => recordOf(queue, { store, id, task }) ?? []),
      ),
    );
  }

  /** The state of a task; `undefined` when it is not stored any more. */
  stateOf(store: MemoryStore, { queue, id }: { readonly queue: string; readonly id: string }): TaskState | undefined {
    return store.queues.get(queue)?.tasks.get(id)?.state;
  }

  /** The next instant after `now` at which a lease, a retention or an aggregation set ends. */
  nextEnd(now: EpochMs): EpochMs | undefined {
    const seconds = toEpochSeconds(now);
    let next: number | undefined;
    const consider = (instant: number | undefined): void => {
      if (instant !== undefined && instant > now && (next === undefined || instant < next)) next = instant;
    };
    for (const { lease, completed, aggregationSets } of this.#queues()) {
      for (const ids of [lease, completed]) {
        const score = ids.scoreAbove(seconds);
        if (score !== undefined) consider(fromEpochSeconds(score));
      }
      for (const { score } of lease) {
        if (score > seconds) break;
        consider(addMs(fromEpochSeconds(score), skewAllowance));
      }
      for (const deadline of aggregationSets.values()) consider(fromEpochSeconds(deadline));
    }
    return next === undefined ? undefined : epochMs(next);
  }

  /** Forgets every task and lock; who lives and what is published stays. */
  clear(): void {
    for (const store of this.stores()) {
      store.queues.clear();
      store.knownQueues.clear();
      store.locks.clear();
    }
  }

  #queues(): readonly MemoryQueue[] {
    return this.stores().flatMap((store) => [...store.queues.values()]);
  }
}

function recordOf(
  queue: MemoryQueue,
  { store, id, task }: { readonly store: MemoryStore; readonly id: string; readonly task: MemoryTask },
): StoredRecord | undefined {
  const decoded = decodeTaskMessage(task.record);
  if (!decoded.ok) return undefined;
  const dueAt = queue.scheduled.scoreOf(id) ?? queue.retry.scoreOf(id);
  return {
    store,
    id,
    queue: queue.name,
    task,
    message: decoded.message,
    dueAt: dueAt === undefined ? undefined : epochMs(dueAt),
  };
}
