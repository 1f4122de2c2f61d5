import { CronSpecError } from '../errors/cron-errors.js';
import { ms, type Ms, readDuration } from '../time/duration.js';
import { type CronField, cronFieldKinds, readCronField } from './cron-field.js';
import { checkTimeZone, zoneFault } from './zone-name.js';

/** A parsed schedule; pass it to `nextTick`. */
export type CronSpec = FieldsSpec | EverySpec;

/** Fires when the wall clock of a time zone shows one of the listed times: the same instants in every process. */
export interface FieldsSpec {
  readonly kind: 'fields';
  /** The spec as it was written. */
  readonly spec: string;
  /** IANA name of the zone of the times. */
  readonly timeZone: string;
  readonly times: CronTimes;
}

/** Fires at the multiples of a period since 1970: the same instants in every process. */
export interface EverySpec {
  readonly kind: 'every';
  /** The spec as it was written. */
  readonly spec: string;
  /** Whole seconds, at least one. */
  readonly period: Ms;
}

/** The wall-clock times of a schedule: the values of each field, ascending; an empty list never matches. */
export interface CronTimes {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  /** 1 is January. */
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly daysOfWeek: readonly number[];
  /** Whether a day must match both day fields or either of them. */
  readonly days: 'both' | 'either';
}

/** Settings of {@link parseCronSpec}. */
export interface CronSpecOptions {
  /** IANA name of the zone of specs that do not name one; blank means UTC. Default `'UTC'`. */
  readonly timeZone?: string | undefined;
}

/** A part of the spec with the column at which it begins; the first column is 1. */
interface Part {
  readonly text: string;
  readonly column: number;
}

const descriptors: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);
const every = '@every ';
const maxEvery = ms(Number(2n ** 63n - 1n) / 1e6);

// White space as Go defines it: unlike \s it includes U+0085 and excludes U+FEFF.
const word = /[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;

/**
 * Parses a cron spec: five fields (minute, hour, day of month, month, day of week), six with seconds first, a
 * descriptor such as `@daily`, or `@every 1h30m`. A leading `CRON_TZ=Europe/Berlin ` or `TZ=...` sets the time zone.
 * What Asynq's scheduler accepts means the same here; six fields are an extension (S-143).
 *
 * @throws CronSpecError naming the spec, what is wrong and at which column.
 * @throws InvalidOptionError when `timeZone` is not the name of a zone.
 * @example
 * const schedule = parseCronSpec('0 2 * * mon-fri', { timeZone: 'Asia/Ho_Chi_Minh' });
 */
export function parseCronSpec(spec: string, options: CronSpecOptions = {}): CronSpec {
  const { body, timeZone } = readZone(spec, options.timeZone);
  if (body.text.startsWith(every)) return { kind: 'every', spec, period: readPeriod(spec, body) };
  const descriptor = body.text.startsWith('@') ? descriptors.get(body.text) : undefined;
  if (descriptor !== undefined) {
    return { kind: 'fields', spec, timeZone, times: readTimes(descriptor, { text: descriptor, column: 1 }) };
  }
  if (body.text.startsWith('@')) {
    const known = [...descriptors.keys(), '@every <duration>'].join(', ');
    throw new CronSpecError({
      spec,
      position: body.column,
      reason: `there is no such descriptor; the descriptors are ${known}`,
    });
  }
  return { kind: 'fields', spec, timeZone, times: readTimes(spec, body) };
}

/** Splits off a leading zone. */
function readZone(spec: string, fallback: string | undefined): { readonly body: Part; readonly timeZone: string } {
  const prefix = /^(?:CRON_)?TZ=/.exec(spec)?.[0];
  if (prefix === undefined) return { body: { text: spec, column: 1 }, timeZone: zoneOfOptions(fallback) };
  const end = spec.indexOf(' ');
  if (end === -1) {
    throw new CronSpecError({
      spec,
      position: spec.length + 1,
      reason: 'a space and the schedule must follow the zone',
    });
  }
  const name = spec.slice(prefix.length, end);
  const fault = name === '' ? undefined : zoneFault(name);
  if (fault !== undefined) {
    throw new CronSpecError({ spec, position: prefix.length + 1, reason: `the zone ${fault}` });
  }
  const words = wordsOf(spec.slice(end), end + 1);
  const [first, last] = [words[0], words.at(-1)];
  const body =
    first === undefined || last === undefined
      ? { text: '', column: spec.length + 1 }
      : { text: spec.slice(first.column - 1, last.column - 1 + last.text.length), column: first.column };
  return { body, timeZone: name === '' ? 'UTC' : name };
}

function zoneOfOptions(name: string | undefined): string {
  if (name === undefined || name.trim() === '') return 'UTC';
  return checkTimeZone({ path: 'timeZone', value: name });
}

function readPeriod(spec: string, { text, column }: Part): Ms {
  const written = text.slice(every.length);
  // Go has no unit for days.
  const period = written.includes('d') ? undefined : readDuration(written);
  if (period === undefined || Math.abs(period) > maxEvery) {
    const reason = `@every must be followed by a duration such as 1h30m, got ${JSON.stringify(written)}`;
    throw new CronSpecError({ spec, position: column + every.length, reason });
  }
  return ms(Math.max(1, Math.floor(period / 1_000)) * 1_000);
}

function readTimes(spec: string, { text, column }: Part): CronTimes {
  const words = wordsOf(text, column);
  if (words.length !== 5 && words.length !== 6) {
    const reason = `there must be 5 fields (minute, hour, day of month, month, day of week) or 6 with seconds first, got ${words.length}`;
    // The first extra field, or the end of the text if some are missing.
    throw new CronSpecError({ spec, position: words[6]?.column ?? column + text.length, reason });
  }
  const read = (index: number): CronField => {
    const kind = cronFieldKinds[index];
    const found = words[index - (cronFieldKinds.length - words.length)];
    if (kind === undefined || found === undefined) return { values: [0], isOpen: false };
    const field = readCronField(found.text, kind);
    if ('values' in field) return field;
    throw new CronSpecError({ spec, position: found.column + field.offset, reason: field.reason });
  };
  const [seconds, minutes, hours, daysOfMonth, months, daysOfWeek] = [
    read(0),
    read(1),
    read(2),
    read(3),
    read(4),
    read(5),
  ];
  return {
    seconds: seconds.values,
    minutes: minutes.values,
    hours: hours.values,
    daysOfMonth: daysOfMonth.values,
    months: months.values,
    daysOfWeek: daysOfWeek.values,
    days: daysOfMonth.isOpen || daysOfWeek.isOpen ? 'both' : 'either',
  };
}

function wordsOf(text: string, column: number): readonly Part[] {
  return [...text.matchAll(word)].map((match) => ({ text: match[0], column: column + match.index }));
}
