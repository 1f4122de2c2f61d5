import { maxBytesPerWrite, maxTasksPerWrite } from '../model/broker/call-limits.js';
/** Splits tasks into script calls of bounded size, in order. */
export function taskBatches<T>(tasks: readonly T[], bytesOf: (task: T) => number): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const task of tasks) {
    const size = bytesOf(task);
    if (batch.length === maxTasksPerWrite || (batch.length > 0 && bytes + size > maxBytesPerWrite)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(task);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
