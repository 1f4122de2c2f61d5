/**
 * The stored record of a task: what travels between processes, including Go's (P-01). A value without methods; its
 * codec turns it into bytes and back.
 */
export interface TaskMessage {
  readonly type: string;
  /** The user's bytes; empty if there are none (the wire format does not distinguish these). */
  readonly payload: Uint8Array;
  readonly id: string;
  readonly queue: string;
  /** Retries allowed after the first run. */
  readonly maxRetry: number;
  /** Counted failures so far. */
  readonly retried: number;
  /** Text of the last error; empty when there was none. */
  readonly errorMessage: string;
  /** Limit of one run in seconds; 0 means none. */
  readonly timeoutSeconds: number;
  /** Instant at which every run must have ended, in Unix seconds; 0 means none. */
  readonly deadlineSeconds: number;
  /** Full key of the unique lock; empty when the task holds none. Never recomputed from the payload (P-11). */
  readonly uniqueKey: string;
  /** Unix seconds of the last failure; 0 when it never failed. */
  readonly lastFailedAtSeconds: number;
  /** How long the task is kept after success, in seconds; 0 means not at all. */
  readonly retentionSeconds: number;
  /** Unix seconds of success; 0 before that. */
  readonly completedAtSeconds: number;
  /** Plain name of the group; empty when the task belongs to none. */
  readonly group: string;
  /** The producer's metadata; `undefined` if there is none. */
  readonly headers: Headers | undefined;
  /** Fields of a newer protocol, kept unchanged so that rewriting the record loses nothing. */
  readonly unknownFields: Uint8Array | undefined;
}

/** A task's metadata from its producer. Created without a prototype, so any key is safe. */
export type Headers = Readonly<Record<string, string>>;

const noHeaders: Headers = Object.freeze(Object.create(null) as Headers);

/** Returns the headers of a task, frozen; empty if there are none. */
export function headersOf({ headers }: Pick<TaskMessage, 'headers'>): Headers {
  return headers === undefined ? noHeaders : Object.freeze(headers);
}
