import { archiveLimits } from '../model/broker/lifetimes.js';
import { type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import { lockOf } from './stored-record.js';
import type { MemoryContext } from './memory-context.js';
import type { MemoryQueue } from './memory-state.js';

/**
 * Puts tasks, whose records already say so, into the archive. Old and excess tasks are removed first, so that a new one
 * is never trimmed itself.
 */
export function addToArchive({ store, notices }: ArchiveDeps, queue: MemoryQueue, added: ArchivedNow): void {
  const { taskIds, now } = added;
  if (taskIds.length === 0) return;
  const { archived } = queue;
  const { cutoffSeconds, size } = archiveLimits(now);
  let missing = 0;
  for (let oldest = archived.first; oldest !== undefined; oldest = archived.first) {
    if (oldest.score > cutoffSeconds && archived.size + taskIds.length <= size) break;
    archived.delete(oldest.id);
    const task = queue.tasks.get(oldest.id);
    if (task === undefined) missing += 1;
    // A stale id here belongs to another task by now.
    if (task?.state !== 'archived') continue;
    store.releaseLock(lockOf(queue.name, task.lock ?? ''), oldest.id);
    queue.forget(oldest.id);
  }
  notices.dropped(queue.name, { from: 'archived', count: missing });
  for (const taskId of taskIds) archived.add(taskId, toEpochSeconds(now));
}

type ArchiveDeps = Pick<MemoryContext, 'store' | 'notices'>;

/** Tasks that are archived at one instant. */
export interface ArchivedNow {
  readonly taskIds: readonly string[];
  readonly now: EpochMs;
}
