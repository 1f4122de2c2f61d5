import type { CancelResult, CancelRequest } from '../model/broker/presence.contract.js';
import { addToArchive } from './memory-archive.js';
import type { MemoryContext } from './memory-context.js';
import { lockOf, readRecord } from './stored-record.js';
import type { MemoryQueue, MemoryTask } from './memory-state.js';

/** Cancels a task, whatever its state: a running one is told to stop, a waiting one is archived or deleted. */
export function cancelTask(deps: MemoryContext, request: CancelRequest): CancelResult {
  const { store } = deps;
  const { taskId, outcome, now } = request;
  const queue = store.queue(request.queue);
  const task = queue.tasks.get(taskId);
  if (task === undefined) return 'not-found';
  if (task.state === 'active') {
    task.canceled = outcome;
    // As on Redis: the request, and then the bare id, without an outcome.
    store.signals.cancel(taskId, { queue: queue.name, outcome });
    store.signals.cancel(taskId, undefined);
    return 'signaled';
  }
  if (outcome === 'retry' || !leavePlace(queue, { taskId, task })) return 'kept';
  if (outcome === 'delete') {
    const decoded = readRecord(task.record, { queue: queue.name, taskId });
    if (decoded.ok) store.releaseLock(lockOf(queue.name, decoded.message.uniqueKey), taskId);
    queue.forget(taskId);
    return 'deleted';
  }
  task.state = 'archived';
  addToArchive(deps, queue, { taskIds: [taskId], now });
  return 'archived';
}

/** Removes a waiting task from its place; returns whether it was there. */
function leavePlace(
  queue: MemoryQueue,
  { taskId, task }: { readonly taskId: string; readonly task: MemoryTask },
): boolean {
  switch (task.state) {
    case 'pending':
    case 'scheduled':
    case 'retry':
      return queue[task.state].delete(taskId);
    case 'aggregating': {
      const group = task.group ?? '';
      if (!queue.leave(group, taskId)) return false;
      if (!queue.members.has(group)) queue.groups.delete(group);
      return true;
    }
    case 'active':
    case 'archived':
    case 'completed':
      return false;
  }
}
