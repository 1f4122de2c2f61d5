import { dayCountersFor } from '../model/broker/lifetimes.js';
import { type EpochMs, subtractMs } from '../model/time/duration.js';
import { utcDay } from '../model/time/utc-day.js';
import type { MemoryQueue } from './memory-state.js';

/** Runs that ended, by how they count. */
export interface EndedRuns {
  readonly succeeded: number;
  readonly failed: number;
}

/** Counts ended runs, per UTC day and in total (P-28). */
export function countRuns(queue: MemoryQueue, { succeeded, failed }: EndedRuns, now: EpochMs): void {
  if (succeeded + failed === 0) return;
  const day = utcDay(now);
  let counted = queue.days.get(day);
  if (counted === undefined) {
    counted = { processed: 0, failed: 0 };
    queue.days.set(day, counted);
    const oldest = utcDay(subtractMs(now, dayCountersFor));
    for (const known of queue.days.keys()) if (known < oldest) queue.days.delete(known);
  }
  counted.processed += succeeded + failed;
  counted.failed += failed;
  queue.counters.processed += succeeded + failed;
  queue.counters.failed += failed;
}
