// Plain loops over plain numbers: the ticks of thousands of schedules are computed at once when a scheduler starts
// (bench/micro/cron.mjs: about a hundred times as fast as cron-parser's own walk).
import { secondsPerDay } from '../time/utc-day.js';
import type { CronTimes } from './cron-spec.js';

/**
 * Returns the first time at or after `start` that a schedule lists, on a wall clock that is never changed. In seconds
 * since 1970-01-01 00:00:00 on that clock.
 *
 * @param lastYear the last year to search.
 * @returns `undefined` if there is none (S-143).
 */
export function firstWallTime(times: CronTimes, start: number, lastYear: number): number | undefined {
  const startDay = Math.floor(start / secondsPerDay);
  const today = firstDay(times, startDay, lastYear);
  if (today === undefined) return undefined;
  const time = firstTimeOfDay(times, today === startDay ? start - startDay * secondsPerDay : 0);
  if (time !== undefined) return today * secondsPerDay + time;
  const later = today === startDay ? firstDay(times, startDay + 1, lastYear) : undefined;
  const earliest = firstTimeOfDay(times, 0);
  return later === undefined || earliest === undefined ? undefined : later * secondsPerDay + earliest;
}

/** Returns the year of a wall time. */
export function yearOf(wall: number): number {
  return civilOf(Math.floor(wall / secondsPerDay)).year;
}

/** Returns the first time of day at or after `from`, in seconds after midnight. */
function firstTimeOfDay({ hours, minutes, seconds }: CronTimes, from: number): number | undefined {
  const [hour, minute, second] = [Math.floor(from / 3_600), Math.floor(from / 60) % 60, from % 60];
  for (const h of hours) {
    if (h < hour) continue;
    for (const m of minutes) {
      if (h === hour && m < minute) continue;
      for (const s of seconds) {
        if (h === hour && m === minute && s < second) continue;
        return h * 3_600 + m * 60 + s;
      }
    }
  }
  return undefined;
}

/** Returns the first matching day at or after `from`, in days since the epoch. */
export function firstDay(times: CronTimes, from: number, lastYear: number): number | undefined {
  let { year, month, date } = civilOf(from);
  for (; year <= lastYear; date = 1) {
    if (times.months.includes(month)) {
      const first = dayNumber(year, month);
      const length = lengthOf(year, month);
      for (; date <= length; date += 1) {
        if (isDay(times, date, weekdayOf(first + date - 1))) return first + date - 1;
      }
    }
    month = month === 12 ? 1 : month + 1;
    if (month === 1) year += 1;
  }
  return undefined;
}

function isDay({ daysOfMonth, daysOfWeek, days }: CronTimes, date: number, weekday: number): boolean {
  const byDate = daysOfMonth.includes(date);
  const byWeekday = daysOfWeek.includes(weekday);
  return days === 'both' ? byDate && byWeekday : byDate || byWeekday;
}

/** Returns the day of the week; 1970-01-01 was a Thursday. */
function weekdayOf(dayNumber: number): number {
  return (((dayNumber + 4) % 7) + 7) % 7;
}

/** Returns the number of a month's first day, in days since the epoch. */
function dayNumber(year: number, month: number): number {
  return Date.UTC(year, month - 1, 1) / 86_400_000;
}

function lengthOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function civilOf(dayNumber: number): { year: number; month: number; date: number } {
  const date = new Date(dayNumber * 86_400_000);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, date: date.getUTCDate() };
}
