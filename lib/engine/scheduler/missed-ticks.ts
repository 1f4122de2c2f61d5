import { nextTick } from '../../model/cron/cron-next.js';
import type { CronSpec } from '../../model/cron/cron-spec.js';
import { type EpochMs, epochMs } from '../../model/time/duration.js';

/** Some ticks, ascending, and whether earlier ones were left out. */
export interface LastTicks {
  readonly ticks: readonly EpochMs[];
  readonly areAll: boolean;
}

/** How far back the search begins. */
const firstStep = 60_000;

/**
 * Returns the newest `limit` ticks after one instant and up to another. The cost depends on the limit, not on the span.
 */
export function lastTicks(
  cron: CronSpec,
  span: { readonly after: EpochMs; readonly until: EpochMs; readonly limit: number },
): LastTicks {
  const { after, until, limit } = span;
  // Ticks can only be listed forward, so the search begins near the end and moves back until there are enough.
  for (let step = firstStep; ; step *= 2) {
    const from = Math.max(after, until - step);
    const ticks = ticksBetween(cron, epochMs(from), until);
    if (ticks.length > limit) return { ticks: ticks.slice(ticks.length - limit), areAll: false };
    if (from === after) return { ticks, areAll: true };
  }
}

/** Returns every tick after `after` and up to `until`. */
export function ticksBetween(cron: CronSpec, after: EpochMs, until: EpochMs): EpochMs[] {
  const ticks: EpochMs[] = [];
  for (let tick = nextTick(cron, after); tick !== undefined && tick <= until; tick = nextTick(cron, tick)) {
    ticks.push(tick);
  }
  return ticks;
}
