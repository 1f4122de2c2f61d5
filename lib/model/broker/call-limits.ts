/*
 * How much one call to a broker does at most, so that the storage can serve others in between.
 */

/** Tasks that one call takes or lists. */
export const maxTasksPerCall = 1_000;

/** Due tasks that one call moves. */
export const maxForwardedPerCall = 500;

/** Completed tasks that one call deletes, and as many archived ones. */
export const maxDeletedPerCall = 250;

/** Members of an aggregation set that one call reads or deletes, and members' locks that it keeps. */
export const maxMembersPerCall = 500;

/** Returns how many members an aggregation set gets: those that the option asks for (0: all), but 5,000 at most. */
export function aggregationSetSize(maxSize: number): number {
  return maxSize === 0 ? 5_000 : Math.min(maxSize, 5_000);
}

/** Tasks that one call stores or settles; of new ones with a group or a lock half as many. */
export const maxTasksPerWrite = 500;

/** Bytes of task messages that one call stores or settles; a larger message is sent alone. */
export const maxBytesPerWrite = 1_048_576;
