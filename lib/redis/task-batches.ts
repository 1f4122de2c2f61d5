/** How many tasks one script call takes at most, so that Redis serves others in between. */
const maxTasks = 500;
/** How many bytes of task messages one script call takes, unless a single task has more. */
const maxBytes = 1_048_576;

/** Splits tasks into script calls of bounded size, in order. */
export function taskBatches<T>(tasks: readonly T[], bytesOf: (task: T) => number): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const task of tasks) {
    const size = bytesOf(task);
    if (batch.length === maxTasks || (batch.length > 0 && bytes + size > maxBytes)) {
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
