import { type Ms, ms } from '../time/duration.js';
import type { CronSpec, CronTimes } from './cron-spec.js';
import { firstDay } from './wall-clock.js';

/**
 * Returns the shortest time between two ticks of a schedule on a clock without time zones. Days on which a zone's clock
 * changes do not count, so the result is the same in every zone and with every version of the zone data.
 *
 * @returns `undefined` for a schedule that never ticks.
 * @example
 * shortestPeriod(parseCronSpec('0 9,10 * * mon')); // an hour
 */
export function shortestPeriod(schedule: CronSpec): Ms | undefined {
  if (schedule.kind === 'every') return schedule.period;
  const { times } = schedule;
  const { seconds, minutes, hours } = times;
  const days = shortestDays(times);
  if (days === undefined) return undefined;
  const span = { minute: spanOf(seconds), hour: 0, day: 0 };
  span.hour = spanOf(minutes) * 60 + span.minute;
  span.day = spanOf(hours) * 3_600 + span.hour;
  // From one value of a field to the next, all smaller fields go from their last value back to their first.
  const shortest = Math.min(
    shortestStep(seconds),
    shortestStep(minutes) * 60 - span.minute,
    shortestStep(hours) * 3_600 - span.hour,
    days * 86_400 - span.day,
  );
  return ms(shortest * 1_000);
}

function spanOf(values: readonly number[]): number {
  return (values.at(-1) ?? 0) - (values[0] ?? 0);
}

/** Returns the smallest difference between neighbors of an ascending list. */
function shortestStep(values: readonly number[]): number {
  return values.slice(1).reduce((shortest, value, at) => Math.min(shortest, value - (values[at] ?? 0)), Infinity);
}

// Every weekday and every 29 February occurs in them several times, and so does each step between two days.
const firstDayOfAll = Date.UTC(2_000, 0) / 86_400_000;
const lastYear = 2_027;

/** Returns the fewest days between two days with ticks. */
function shortestDays(times: CronTimes): number | undefined {
  if ([times.seconds, times.minutes, times.hours].some((values) => values.length === 0)) return undefined;
  let day = firstDay(times, firstDayOfAll, lastYear);
  if (day === undefined) return undefined;
  let shortest = Infinity;
  while (shortest > 1) {
    const next = firstDay(times, day + 1, lastYear);
    if (next === undefined) break;
    shortest = Math.min(shortest, next - day);
    day = next;
  }
  return shortest;
}
