import type { TaskMessage } from '../model/task/task-message.js';
import { type EpochMs, toEpochSeconds } from '../model/time/duration.js';

/** Formats the owner of a task for its hash: `<epoch seconds> <host:pid:server-id>`. */
export function writeOwner({ owner, takenAt }: { readonly owner: string; readonly takenAt: EpochMs }): string {
  return `${toEpochSeconds(takenAt)} ${owner}`;
}

/**
 * Returns the server that holds a task. A Go program that takes back a task from one of our servers leaves the owner's
 * field behind, but writes when it did so: an owner older than the task's last failure does not say who holds it now.
 */
export function readOwner(note: string | undefined, message: TaskMessage): string | undefined {
  const [, takenAt, owner] = /^(\d+) (.+)$/s.exec(note ?? '') ?? [];
  return Number(takenAt) >= message.lastFailedAtSeconds ? owner : undefined;
}
