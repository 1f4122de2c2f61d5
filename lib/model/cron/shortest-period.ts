import { type Ms, ms } from '../time/duration.js';
import type { CronSpec, CronTimes } from './cron-spec.js';
import { firstDay } from './wall-clock.js';

/**
 * The shortest time between two ticks of a schedule, as a clock without time zones shows them: the days on which a zone
 * moves its clock do not count, so that the answer is the same in every zone and with every version of the zone data.
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

/** Between neighbours of an ascending list. */
function shortestStep(values: readonly number[]): number {
  return values.slice(1).reduce((shortest, value, at) => Math.min(shortest, value - (values[at] ?? 0)), Infinity);
}

// Every weekday and every 29 February is in them several times, so that each step between two days is, too.
const firstDayOfAll = Date.UTC(2_000, 0) / 86_400_000;
const lastYear = 2_027;

/** The fewest days from one day with ticks to the next. */
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
