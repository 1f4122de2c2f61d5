import { type EpochMs, ms, subtractMs, toEpochSeconds } from '../time/duration.js';

/*
 * How long things are kept, and how many of them: numbers that all programs on a Redis have to agree on, Go's included.
 */

const day = 86_400_000;

/** How long a lease lasts from the moment it is taken or extended (S-71). */
export const leaseLength = ms(30_000);

/** Clocks may differ: the lease of a worker that may be alive is given this long after its end (S-86). */
export const skewAllowance = ms(30_000);

/** How long an archived task is kept (P-86). */
const archivedFor = ms(90 * day);

/** How many archived tasks a queue keeps; Asynq's own limit of 10,000 leaves 9,999. */
const archiveSize = 9_999;

/** What an archive holds: what is older than the cutoff goes, and the oldest of what is too many. */
export function archiveLimits(now: EpochMs): { readonly cutoffSeconds: number; readonly size: number } {
  return { cutoffSeconds: toEpochSeconds(subtractMs(now, archivedFor)), size: archiveSize };
}

/** How long the counters of a day are kept (P-29). */
export const dayCountersFor = ms(90 * day);

/** How long an aggregation set may take before its members go back to their group (P-97). */
export const aggregationSetFor = ms(120_000);

/** How long a schedule's ticks and history are kept: longer than a year, for the sake of yearly ones. */
export const ticksFor = ms(400 * day);

/** How many events the history of a schedule holds, the newest (S-140). */
export const maxScheduleEvents = 1_000;
