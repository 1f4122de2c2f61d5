import type { EpochMs } from './duration.js';

/** A day of UTC has no leap seconds on any clock here. */
export const secondsPerDay = 86_400;

/** Every outcome needs its day, and formatting dates is slow. */
let last = { day: Number.NaN, text: '' };

/** Returns the UTC day of an instant: `2026-03-01`. */
export function utcDay(instant: EpochMs): string {
  const day = Math.floor(instant / (secondsPerDay * 1_000));
  if (day !== last.day) last = { day, text: new Date(instant).toISOString().slice(0, 10) };
  return last.text;
}
