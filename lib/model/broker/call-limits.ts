/*
 * How much one call to a broker does at most, so that the storage serves others in between.
 */

/** Tasks that one call takes, moves, lists or deletes. */
export const maxTasksPerCall = 1_000;

/** Tasks that one call stores or settles. */
export const maxTasksPerWrite = 500;

/** Bytes of task messages that one call stores or settles; a longer task goes alone. */
export const maxBytesPerWrite = 1_048_576;
