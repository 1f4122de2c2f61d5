import type { Extras } from './orders.js';

/** What is measured, in its own words: each subject says how a task is enqueued and how a worker is started. */
export interface Subject {
  openProducer(redis: string): Promise<Producer>;
  /** Resolves when the worker runs. It calls `onTask` once for every task and does nothing else with it. */
  startWorker(options: WorkerOptions): Promise<RunningWorker>;
}

export interface Producer {
  enqueue(payload: object, options?: ProducerOptions): Promise<unknown>;
  enqueueMany(payloads: readonly object[], options?: ProducerOptions): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface ProducerOptions {
  /** Name of the queue; {@link queueName} unless given. */
  readonly queue?: string;
  /** When the tasks are due, Unix milliseconds; at once unless given. */
  readonly dueAt?: number | undefined;
}

export interface WorkerOptions {
  readonly redis: string;
  readonly concurrency: number;
  readonly queues: readonly string[];
  /** What surrounds the handler; only the Nest path has some. */
  readonly extras?: Extras | undefined;
  /** Is given the payload as a function, since reading it costs: a handler that ignores it must not pay. */
  readonly onTask: (readPayload: () => unknown) => void | Promise<unknown>;
}

export interface RunningWorker {
  close(): Promise<unknown>;
}

/** Queue and type of every measured task. */
export const queueName = 'bench';
export const taskType = 'bench';

/** The queues of a case: one, or so many that are named by number. */
export function queueNames(count = 1): readonly string[] {
  return count === 1 ? [queueName] : Array.from({ length: count }, (_, index) => `${queueName}-${index}`);
}
