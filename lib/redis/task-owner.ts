import type { TaskMessage } from '../model/task/task-message.js';
import { type EpochMs, toEpochSeconds } from '../model/time/duration.js';

/** Who took a task, as its hash says: `<epoch seconds> <host:pid:server-id>`. */
export function writeOwner({ owner, takenAt }: { readonly owner: string; readonly takenAt: EpochMs }): string {
  return `${toEpochSeconds(takenAt)} ${owner}`;
}

/**
 * The server that holds a task. A Go program that takes a task back from one of ours leaves the note of the lost owner
 * behind, but writes when it did so: a note older than the task's last failure says nothing of who holds it now.
 */
export function readOwner(note: string | undefined, message: TaskMessage): string | undefined {
  const [, takenAt, owner] = /^(\d+) (.+)$/s.exec(note ?? '') ?? [];
  return Number(takenAt) >= message.lastFailedAtSeconds ? owner : undefined;
}
