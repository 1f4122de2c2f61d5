import { type EpochMs, ms, subtractMs, toEpochSeconds } from '../model/time/duration.js';

/** How long an archived task is kept (P-86). */
const archivedFor = ms(90 * 86_400_000);

/** How many archived tasks a queue keeps; Asynq's own limit of 10,000 leaves 9,999. */
const archiveSize = 9_999;

/** What an archive holds: what is older than the cutoff goes, and the oldest of what is too many. */
export function archiveLimits(now: EpochMs): { readonly cutoffSeconds: number; readonly size: number } {
  return { cutoffSeconds: toEpochSeconds(subtractMs(now, archivedFor)), size: archiveSize };
}
