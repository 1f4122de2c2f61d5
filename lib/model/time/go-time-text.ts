import { epochMs, type EpochMs, type Ms } from './duration.js';

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const instantText =
  /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) ([A-Z]{3,5}|[+-]\d{2,4}) (\d{4})$/;

/** Formats a duration as Go does: `0s`, `1.5ms`, `1m30s`, `24h0m0s` (C-74). */
export function formatGoDuration(duration: Ms): string {
  const nanos = BigInt(Math.round(duration * 1e6));
  const size = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? '-' : '';
  if (size === 0n) return '0s';
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 1_000n)}µs`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 1_000_000n)}ms`;
  const minutes = size / 60_000_000_000n;
  const seconds = `${decimal(size % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return sign + seconds;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** Formats an instant like the Unix command `date`, to the second and in UTC: `Fri Jan  2 03:04:05 UTC 2026` (C-74). */
export function formatUnixDate(instant: EpochMs): string {
  const date = new Date(instant);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = String(date.getUTCDate()).padStart(2);
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  return `${weekdays[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${time} UTC ${year}`;
}

/**
 * Parses what {@link formatUnixDate} writes; `undefined` for anything else. A zone abbreviation is treated as UTC, as
 * Go does with an unknown one: no abbreviation belongs to only one zone.
 */
export function parseUnixDate(text: string): EpochMs | undefined {
  const [, month, day, hours, minutes, seconds, , year] = instantText.exec(text) ?? [];
  if (month === undefined || !months.includes(month)) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), months.indexOf(month), Number(day));
  date.setUTCHours(Number(hours), Number(minutes), Number(seconds));
  // A day or an hour that does not exist would have moved to the next.
  return formatUnixDate(epochMs(date.getTime())).slice(4, 19) === text.slice(4, 19)
    ? epochMs(date.getTime())
    : undefined;
}

/** Formats `value / unit` as a decimal, without trailing zeros. */
function decimal(value: bigint, unit: bigint): string {
  const fraction = String(value % unit)
    .padStart(String(unit).length - 1, '0')
    .replace(/0+$/u, '');
  return fraction === '' ? String(value / unit) : `${value / unit}.${fraction}`;
}
