import { checkInstant, refuse } from '../options/check.js';
import { epochMs, type EpochMs, fromEpochSeconds, toEpochSeconds } from '../time/duration.js';
import type { CronSpec, FieldsSpec } from './cron-spec.js';
import { maxShift, ZoneOffsets } from './time-zone.js';
import { firstWallTime, yearOf } from './wall-clock.js';

/** How many calendar years after the current one to search before a schedule counts as never ticking. */
const yearsAhead = 5;

/**
 * Returns the first tick strictly after an instant, on a whole second. A local time that the zone skips is skipped, one
 * that occurs twice ticks twice, and an hourly schedule ticks every real hour (S-143). Ticks of `@every` are the
 * multiples of its period since 1970, the same in every process; in Asynq each process counts from its own start
 * (S-130).
 *
 * @returns `undefined` if there is none within five calendar years.
 * @throws InvalidOptionError when `after` is not an instant.
 * @example
 * nextTick(parseCronSpec('0 9 * * *', { timeZone: 'America/New_York' }), new Date('2026-05-14T00:00:00Z')); // 13:00
 * UTC
 */
export function nextTick(cron: CronSpec, after: EpochMs | Date): EpochMs | undefined {
  const instant = typeof after === 'number' ? after : checkInstant({ path: 'nextTick: after', value: after });
  if (!Number.isFinite(instant)) refuse({ path: 'nextTick: after', value: after }, 'an instant');
  if (cron.kind === 'every') return epochMs((Math.floor(instant / cron.period) + 1) * cron.period);
  const next = nextOfFields(cron, toEpochSeconds(instant) + 1);
  return next === undefined ? undefined : fromEpochSeconds(next);
}

/** Searches one span of constant offset after the other, and within a span only the calendar. In epoch seconds. */
function nextOfFields({ times, timeZone }: FieldsSpec, from: number): number | undefined {
  const zone = ZoneOffsets.of(timeZone);
  let instant = from;
  let span = zone.spanAt(instant);
  const lastYear = yearOf(instant + span.offset) + yearsAhead;
  for (;;) {
    const wall = instant + span.offset;
    const tick = firstWallTime(times, wall, lastYear);
    if (tick !== undefined && tick - span.offset < span.until) return tick - span.offset;
    // Whatever the clock is set to in the meantime, it cannot show the next listed time earlier than this.
    const sought = firstWallTime(times, wall - maxShift, lastYear);
    if (sought === undefined) return undefined;
    instant = Math.max(span.until, sought - span.offset - maxShift);
    span = zone.spanAt(instant);
  }
}
