/** What is measured, in its own words: each subject says how a task is enqueued and how a worker is started. */
export interface Subject {
  openProducer(redis: string): Promise<Producer>;
  /** Resolves when the worker runs. It calls `onTask` once for every task and does nothing else with it. */
  startWorker(options: WorkerOptions): Promise<RunningWorker>;
}

export interface Producer {
  enqueue(payload: object): Promise<unknown>;
  enqueueMany(payloads: readonly object[]): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface WorkerOptions {
  readonly redis: string;
  readonly concurrency: number;
  /** Is given the payload as a function, since reading it costs: a handler that ignores it must not pay. */
  readonly onTask: (readPayload: () => unknown) => void;
}

export interface RunningWorker {
  close(): Promise<unknown>;
}

/** Queue and type of every measured task. */
export const queueName = 'bench';
export const taskType = 'bench';
