import { type EpochMs, ms, subtractMs } from '../model/time/duration.js';
import type { MemoryQueue } from './memory-state.js';

/** How long the counters of a day are kept (P-29). */
const keptFor = ms(90 * 86_400_000);

/** Runs that ended, by how they count. */
export interface EndedRuns {
  readonly succeeded: number;
  readonly failed: number;
}

/** Counts ended runs, per UTC day and in total (P-28). */
export function countRuns(queue: MemoryQueue, { succeeded, failed }: EndedRuns, now: EpochMs): void {
  if (succeeded + failed === 0) return;
  const day = dayOf(now);
  let counted = queue.days.get(day);
  if (counted === undefined) {
    counted = { processed: 0, failed: 0 };
    queue.days.set(day, counted);
    const oldest = dayOf(subtractMs(now, keptFor));
    for (const known of queue.days.keys()) if (known < oldest) queue.days.delete(known);
  }
  counted.processed += succeeded + failed;
  counted.failed += failed;
  queue.counters.processed += succeeded + failed;
  queue.counters.failed += failed;
}

let lastDay = { start: 0, name: '1970-01-01' };

/** `2026-03-01`. */
function dayOf(instant: EpochMs): string {
  const start = Math.floor(instant / 86_400_000);
  if (start !== lastDay.start) lastDay = { start, name: new Date(instant).toISOString().slice(0, 10) };
  return lastDay.name;
}
