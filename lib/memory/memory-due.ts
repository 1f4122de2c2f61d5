import { maxForwardedPerCall } from '../model/broker/call-limits.js';
import type { ForwardResult, MaintenanceContract } from '../model/broker/maintenance.contract.js';
import { epochMs, type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import { addToArchive } from './memory-archive.js';
import type { MemoryContext } from './memory-context.js';
import type { MemoryQueue, MemoryStore, MemoryTask } from './memory-state.js';
import type { ScoredId } from './scored-ids.js';

/** A task that waits for its time. */
export interface DueTask {
  readonly taskId: string;
  readonly dueAt: EpochMs;
}

/** Puts tasks into the scheduled or the retry set, and announces the earliest if it became that of the whole queue. */
export function placeDue(
  store: MemoryStore,
  queue: MemoryQueue,
  { into, tasks }: { readonly into: 'scheduled' | 'retry'; readonly tasks: readonly DueTask[] },
): void {
  if (tasks.length === 0) return;
  const before = nextDue(queue);
  let earliest = Infinity;
  for (const { taskId, dueAt } of tasks) {
    earliest = Math.min(earliest, dueAt);
    queue[into].add(taskId, dueAt);
  }
  if (earliest < before) store.signals.due(queue.name, epochMs(Math.round(earliest)));
}

/** Moves due tasks to pending or to their groups (P-46). */
export class MemoryDue {
  constructor(private readonly deps: MemoryContext) {}

  /** {@link MaintenanceContract.earliestDue} */
  earliestDue(name: string): EpochMs | undefined {
    return instantOf(nextDue(this.deps.store.queue(name)));
  }

  /** {@link MaintenanceContract.forwardDue} */
  forwardDue(request: Parameters<MaintenanceContract['forwardDue']>[0]): ForwardResult {
    const { store } = this.deps;
    const queue = store.queue(request.queue);
    const now = epochMs(Math.floor(request.now));
    const ready: string[] = [];
    const archived: string[] = [];
    let grouped = 0;
    const dropped = { scheduled: 0, retry: 0 };
    for (const { taskId, from } of takeDue(queue, now, Math.min(request.limit, maxForwardedPerCall))) {
      const task = queue.tasks.get(taskId);
      // An id without a task stays dropped.
      if (task === undefined) {
        dropped[from] += 1;
        continue;
      }
      const { group, canceled } = destinationOf(task);
      task.canceled = undefined;
      if (canceled === 'delete') {
        store.releaseLock(task.lock, taskId);
        queue.forget(taskId);
      } else if (canceled === 'archive') {
        task.state = 'archived';
        archived.push(taskId);
      } else if (group !== undefined) {
        task.state = 'aggregating';
        task.group = group;
        queue.join(group, taskId, toEpochSeconds(now));
        queue.groups.add(group);
        grouped += 1;
      } else {
        task.state = 'pending';
        task.pendingSince = now;
        ready.push(taskId);
      }
    }
    for (const from of ['scheduled', 'retry'] as const) {
      this.deps.notices.dropped(request.queue, { from, count: dropped[from] });
    }
    addToArchive(this.deps, queue, { taskIds: archived, now });
    queue.addPending(ready);
    const nextDueAt = instantOf(nextDue(queue));
    return { forwarded: ready.length + grouped, more: nextDueAt !== undefined && nextDueAt <= request.now, nextDueAt };
  }
}

/** A task's group counts only for its first run: a task that ran alone is retried alone. */
function destinationOf({ group, groupWhenDue, state, canceled }: MemoryTask): Pick<MemoryTask, 'group' | 'canceled'> {
  return { group: group || (state === 'scheduled' ? groupWhenDue : undefined), canceled };
}

/** Returns when the next task of a queue is due, in milliseconds; infinity if none waits. */
function nextDue({ scheduled, retry }: MemoryQueue): number {
  return Math.min(scheduled.first?.score ?? Infinity, retry.first?.score ?? Infinity);
}

function instantOf(due: number): EpochMs | undefined {
  return Number.isFinite(due) ? epochMs(Math.ceil(due)) : undefined;
}

/** Removes the ids of due tasks from both sets, earliest due first. */
function takeDue(
  { scheduled, retry }: MemoryQueue,
  now: EpochMs,
  limit: number,
): readonly { readonly taskId: string; readonly from: 'scheduled' | 'retry' }[] {
  const due = [...scheduled.upTo(now, limit), ...retry.upTo(now, limit)].sort(inOrder);
  const taken = new Map<string, 'scheduled' | 'retry'>();
  for (const { id } of due) {
    if (taken.size === limit) break;
    if (!taken.has(id)) taken.set(id, scheduled.has(id) ? 'scheduled' : 'retry');
  }
  for (const id of taken.keys()) {
    scheduled.delete(id);
    retry.delete(id);
  }
  return Array.from(taken, ([taskId, from]) => ({ taskId, from }));
}

// Redis keeps times between two seconds in one set, so those are in the order of their ids; whole seconds are in two.
function inOrder(one: ScoredId, other: ScoredId): number {
  if (one.score !== other.score) return one.score - other.score;
  if (one.score % 1_000 === 0 || one.id === other.id) return 0;
  return one.id < other.id ? -1 : 1;
}
