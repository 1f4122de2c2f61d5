import { addToGroup } from '../model/broker/group-by.js';
import { asAsynqError } from '../model/errors/asynq-error.js';
import { enqueueOutcome, type StoreOutcome } from '../model/broker/enqueue-refusal.js';
import type { EnqueueContract, EnqueueOutcome, EnqueueRequest } from '../model/broker/enqueue.contract.js';
import { encodeTaskMessage } from '../model/task/task-message.codec.js';
import { addMs, epochMs, type EpochMs, fromSeconds, toEpochSeconds } from '../model/time/duration.js';
import { type DueTask, placeDue } from './memory-due.js';
import { lockOf } from './stored-record.js';
import type { MemoryQueue } from './memory-state.js';
import { closedError, expiryInstant, type MemoryContext } from './memory-context.js';

/** A request with its message encoded. */
export interface NewRecord {
  readonly request: EnqueueRequest;
  readonly record: Uint8Array;
}

/** A new task and the index of its outcome. */
interface Entry extends NewRecord {
  readonly index: number;
}

/** The enqueue contract in memory. */
export class MemoryEnqueue implements EnqueueContract {
  constructor(private readonly deps: MemoryContext) {}

  async enqueue(requests: readonly EnqueueRequest[], now: EpochMs): Promise<readonly EnqueueOutcome[]> {
    const { lifetime } = this.deps;
    if (lifetime.isClosed) return requests.map(closedError);
    const outcomes: EnqueueOutcome[] = requests.map(() => 'enqueued');
    const byQueue = new Map<string, Entry[]>();
    requests.forEach((request, index) => {
      try {
        const entry = { index, request, record: encodeTaskMessage(request.message) };
        addToGroup(byQueue, request.message.queue, entry);
      } catch (error) {
        outcomes[index] = asAsynqError(error);
      }
    });
    for (const [name, tasks] of byQueue) {
      storeTasks(this.deps, { queue: name, tasks, now }).forEach((outcome, at) => {
        const { index, request } = tasks[at] as Entry;
        outcomes[index] = enqueueOutcome(outcome, request);
      });
    }
    return outcomes;
  }
}

/**
 * Stores new tasks of one queue, each in its place and with its lock, and registers the queue. A refused task leaves
 * nothing behind.
 */
export function storeTasks(
  deps: MemoryContext,
  added: { readonly queue: string; readonly tasks: readonly NewRecord[]; readonly now: EpochMs },
): readonly StoreOutcome[] {
  const { store } = deps;
  const queue = store.queue(added.queue);
  const now = epochMs(Math.floor(added.now));
  const pending: string[] = [];
  const scheduled: DueTask[] = [];
  store.knownQueues.add(added.queue);
  const outcomes = added.tasks.map((task): StoreOutcome => {
    const { message, place, uniqueForSeconds } = task.request;
    const lock = uniqueForSeconds > 0 ? lockOf(queue.name, message.uniqueKey) : undefined;
    const refusal = refusalOf(deps, queue, { taskId: message.id, lock, now });
    if (refusal !== undefined) return refusal;
    const stored = queue.newTask(message.id, task.record);
    stored.state = place.kind;
    if (place.kind === 'pending') {
      stored.pendingSince = now;
      pending.push(message.id);
    } else if (place.kind === 'scheduled') {
      if (message.group !== '') stored.groupWhenDue = message.group;
      scheduled.push({ taskId: message.id, dueAt: place.processAt });
    } else {
      stored.group = message.group;
      queue.join(message.group, message.id, toEpochSeconds(now));
      queue.groups.add(message.group);
    }
    if (lock !== undefined) {
      stored.lock = lock;
      const at = expiryInstant(deps, now);
      store.locks.sweep(at);
      const value = { taskId: message.id, isAggregated: false };
      store.locks.set(lock, { value, expiresAt: addMs(at, fromSeconds(uniqueForSeconds)) });
    }
    return 'stored';
  });
  placeDue(store, queue, { into: 'scheduled', tasks: scheduled });
  queue.addPending(pending);
  return outcomes;
}

function refusalOf(
  deps: MemoryContext,
  queue: MemoryQueue,
  { taskId, lock, now }: { readonly taskId: string; readonly lock: string | undefined; readonly now: EpochMs },
): Exclude<StoreOutcome, 'stored'> | undefined {
  const holder = lock === undefined ? undefined : deps.store.locks.get(lock, expiryInstant(deps, now))?.value;
  // A lock whose holder has vanished blocks nobody.
  if (holder !== undefined && (holder.isAggregated || queue.tasks.has(holder.taskId))) {
    return holder.taskId === taskId ? 'held' : 'duplicate';
  }
  return queue.tasks.has(taskId) ? 'id-conflict' : undefined;
}
