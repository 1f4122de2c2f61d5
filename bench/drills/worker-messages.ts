/** How a worker's process is started. */
export interface WorkerSettings {
  readonly redis: string;
  readonly concurrency: number;
  /** Names of the queues, all of the same priority. */
  readonly queues: readonly string[];
  /** Types it has a handler for. */
  readonly types: readonly string[];
  /**
   * What a handler does. `count` nothing; `report` tells the task's id; `hang` tells the id and waits until the task is
   * aborted; `due` tells how late it is after the `dueAt` of the payload; `work` takes 5 ms and tells the id.
   */
  readonly handler: 'count' | 'report' | 'hang' | 'due' | 'work';
}

/** What the process tells. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'tasks'; readonly ids: readonly string[]; readonly lateness: readonly number[] }
  | { readonly kind: 'usage'; readonly handled: number; readonly heapBytes: number; readonly cpuMicros: number };

/** What it is asked. Garbage is collected first for a true size of the heap, which takes a while. */
export type ToWorker = { readonly kind: 'usage'; readonly garbage: 'collect' | 'leave' };
