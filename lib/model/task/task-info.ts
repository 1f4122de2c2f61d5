import type { Headers } from './task-message.js';
import type { TaskState } from './task-state.js';

/** What `enqueue` returns and the inspector lists: a snapshot, it does not change by itself (C-38). */
export interface TaskInfo {
  readonly id: string;
  readonly queue: string;
  readonly type: string;
  readonly payload: Uint8Array;
  readonly headers: Headers | undefined;
  readonly state: TaskState;
  /** Retries allowed after the first run. */
  readonly maxRetry: number;
  /** Counted failures so far. */
  readonly retried: number;
  /** Text of the last error, if there was one. */
  readonly lastError: string | undefined;
  readonly lastFailedAt: Date | undefined;
  /** Limit of one run in milliseconds (whole seconds on the wire); `undefined` means none. */
  readonly timeout: number | undefined;
  readonly deadline: Date | undefined;
  readonly group: string | undefined;
  /** When it runs next: now for a pending task; `undefined` where the state knows no such time. */
  readonly nextProcessAt: Date | undefined;
  /** How long it is kept after success, in milliseconds (whole seconds on the wire); 0 means not at all. */
  readonly retention: number;
  readonly completedAt: Date | undefined;
  /** What the handler stored, if anything. */
  readonly result: Uint8Array | undefined;
}
