import { type EpochMs, ms, subtractMs, toEpochSeconds } from '../time/duration.js';

/*
 * How long things are kept, and how many: numbers that all programs on one Redis must agree on, including Go's.
 */

const day = 86_400_000;

/** How long a lease lasts from the time it is taken or extended (S-71). */
export const leaseLength = ms(30_000);

/** Clocks may differ: a worker that may be alive gets this much time after the end of its lease (S-86). */
export const skewAllowance = ms(30_000);

/** How long an archived task is kept (P-86). */
const archivedFor = ms(90 * day);

/** How many archived tasks a queue keeps; Asynq's own limit of 10,000 leaves 9,999. */
const archiveSize = 9_999;

/** Returns the limits of an archive: tasks before the cutoff are dropped, and the oldest beyond the size. */
export function archiveLimits(now: EpochMs): { readonly cutoffSeconds: number; readonly size: number } {
  return { cutoffSeconds: toEpochSeconds(subtractMs(now, archivedFor)), size: archiveSize };
}

/** How long the counters of a day are kept (P-29). */
export const dayCountersFor = ms(90 * day);

/** How long an aggregation set may take before its members return to their group (P-97). */
export const aggregationSetFor = ms(120_000);

/** How long a schedule's ticks and history are kept: longer than a year, because of yearly schedules. */
export const ticksFor = ms(400 * day);

/** How many events the history of a schedule holds, the newest (S-140). */
export const maxScheduleEvents = 1_000;
