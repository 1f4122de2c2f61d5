/** Enqueue options for Go's client; durations and instants in milliseconds. */
export interface GoOptions {
  readonly queue?: string;
  readonly taskId?: string;
  readonly group?: string;
  readonly maxRetry?: number;
  readonly timeout?: number;
  readonly deadline?: number;
  readonly unique?: number;
  readonly processAt?: number;
  readonly processIn?: number;
  readonly retention?: number;
}

/** A task for Go's client. `null` is no payload, which for Go is something else than an empty one. */
export interface GoTask {
  readonly type: string;
  readonly payload?: string | Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Options of the task itself, which those of the call override. */
  readonly taskOptions?: GoOptions;
  readonly options?: GoOptions;
}

/** The task as the Go program reads it. */
export function encodeGoTask(task: GoTask): unknown {
  return {
    type: task.type,
    payload: task.payload === null || task.payload === undefined ? null : base64(task.payload),
    headers: task.headers ?? null,
    taskOptions: encodeOptions(task.taskOptions),
    options: encodeOptions(task.options),
  };
}

export function base64(value: string | Uint8Array): string {
  return Buffer.from(value as string).toString('base64');
}

function encodeOptions(options: GoOptions = {}): unknown {
  return Object.entries(options).map(([kind, value]: [string, string | number]) => encodeOption(kind, value));
}

export function encodeOption(kind: string, value: string | number): unknown {
  return typeof value === 'string' ? { kind, text: value } : { kind, number: value };
}

/** What Go knows of a stored task; instants in milliseconds, 0 for none, durations in milliseconds. */
export interface GoTaskInfo {
  readonly id: string;
  readonly queue: string;
  readonly type: string;
  readonly payload: string | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly state: string;
  readonly maxRetry: number;
  readonly retried: number;
  readonly lastErr: string;
  readonly lastFailedAt: number;
  readonly timeout: number;
  readonly deadline: number;
  readonly group: string;
  readonly nextProcessAt: number;
  readonly isOrphaned: boolean;
  readonly retention: number;
  readonly completedAt: number;
  readonly result: string | null;
}
