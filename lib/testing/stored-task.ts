import type { Headers } from '../model/task/task-message.js';
import type { TaskState } from '../model/task/task-state.js';
import { fromSeconds } from '../model/time/duration.js';
import type { StoredRecord } from './stored-tasks.js';

/** A task as it is stored now. */
export interface StoredTask {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly state: TaskState;
  readonly payload: unknown;
  readonly maxRetry: number;
  /** Counted failures so far. */
  readonly retried: number;
  readonly lastError: string | undefined;
  /** When it runs, of a scheduled or retry task. */
  readonly nextProcessAt: Date | undefined;
  readonly group: string | undefined;
  readonly headers: Headers | undefined;
  /** Milliseconds, in whole seconds. */
  readonly retention: number;
  /** What its handler stored or returned, if anything. */
  readonly result: unknown;
}

/** Shows what is stored. */
export function storedTask(
  { id, queue, task, message, dueAt }: StoredRecord,
  decode: (bytes: Uint8Array) => unknown,
): StoredTask {
  return {
    id,
    type: message.type,
    queue,
    state: task.state,
    payload: decode(message.payload),
    maxRetry: message.maxRetry,
    retried: message.retried,
    lastError: message.errorMessage === '' ? undefined : message.errorMessage,
    nextProcessAt: dueAt === undefined ? undefined : new Date(dueAt),
    group: message.group === '' ? undefined : message.group,
    headers: message.headers,
    retention: fromSeconds(message.retentionSeconds),
    result: task.result === undefined ? undefined : decode(task.result),
  };
}
