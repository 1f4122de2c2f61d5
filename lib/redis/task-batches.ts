import { maxBytesPerWrite, maxTasksPerWrite } from '../model/broker/call-limits.js';

/** How large a task is. */
export interface TaskSize<T> {
  /** Bytes of its message. */
  readonly bytesOf: (task: T) => number;
  /** For how many plain tasks it counts; one by default. */
  readonly countsAs?: (task: T) => number;
}

/** Splits tasks into script calls of bounded size, in order. */
export function taskBatches<T>(
  tasks: readonly T[],
  { bytesOf, countsAs = () => 1 }: TaskSize<T>,
): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let count = 0;
  let bytes = 0;
  for (const task of tasks) {
    const size = bytesOf(task);
    const share = countsAs(task);
    if (batch.length > 0 && (count + share > maxTasksPerWrite || bytes + size > maxBytesPerWrite)) {
      batches.push(batch);
      batch = [];
      count = 0;
      bytes = 0;
    }
    batch.push(task);
    count += share;
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
