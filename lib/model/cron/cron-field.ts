import { CronExpressionParser } from 'cron-parser';

/** One field of a cron spec: its name, and its allowed values (S-143). */
export interface CronFieldKind {
  readonly title: string;
  readonly min: number;
  readonly max: number;
  /** Names of values, in lower case; the first one means `min`. */
  readonly names: readonly string[];
  /** The name of the field in cron-parser. */
  readonly unit: 'second' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek';
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** The fields in the order of a spec with seconds; a spec of five fields begins at the minute. */
export const cronFieldKinds: readonly CronFieldKind[] = [
  { title: 'second', min: 0, max: 59, names: [], unit: 'second' },
  { title: 'minute', min: 0, max: 59, names: [], unit: 'minute' },
  { title: 'hour', min: 0, max: 23, names: [], unit: 'hour' },
  { title: 'day of month', min: 1, max: 31, names: [], unit: 'dayOfMonth' },
  { title: 'month', min: 1, max: 12, names: months, unit: 'month' },
  { title: 'day of week', min: 0, max: 6, names: weekdays, unit: 'dayOfWeek' },
];

/** The values that a field allows. */
export interface CronField {
  /** Ascending, each value once. If empty, the field never matches. */
  readonly values: readonly number[];
  /** Whether it contains `*`, `?` or `*` with step 1: it then leaves the day to the other day field. */
  readonly isOpen: boolean;
}

/** What is wrong in a field, and its offset from the beginning of the field. */
export interface CronFieldFault {
  readonly reason: string;
  readonly offset: number;
}

/** A piece of a field with its position in the field. */
interface Piece {
  readonly text: string;
  readonly offset: number;
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly isOpen: boolean;
}

const maxStep = 2n ** 63n - 1n;

/** Parses one field; a fault is returned, not thrown. */
export function readCronField(text: string, kind: CronFieldKind): CronField | CronFieldFault {
  const values = new Set<number>();
  let isOpen = false;
  for (const item of split({ text, offset: 0 }, ',')) {
    if (item.text === '') continue;
    const range = readItem(item, kind);
    if ('reason' in range) return range;
    isOpen ||= range.isOpen;
    for (const value of valuesOf(range, kind)) values.add(value);
  }
  return { values: [...values].sort((a, b) => a - b), isOpen };
}

/** `value`, `value-value` or `*`, each with or without `/step`. */
function readItem(item: Piece, kind: CronFieldKind): Range | CronFieldFault {
  const [bounds = item, stepPiece, secondStep] = split(item, '/');
  if (secondStep !== undefined) return fault(secondStep, `${kind.title} ${show(item)} has more than one "/"`, -1);
  const step = stepPiece === undefined ? 1 : readStep(stepPiece, kind);
  if (typeof step !== 'number') return step;

  const [low = bounds, high, third] = split(bounds, '-');
  if (low.text === '*' || low.text === '?') {
    // Whatever follows the star up to the step is ignored: `*-5` means `*`.
    return { first: kind.min, last: kind.max, step, isOpen: step === 1 };
  }
  if (third !== undefined) return fault(third, `${kind.title} ${show(item)} has more than one "-"`, -1);
  const first = readValue(low, kind);
  if (typeof first !== 'number') return first;
  const last = high === undefined ? (stepPiece === undefined ? first : kind.max) : readValue(high, kind);
  if (typeof last !== 'number') return last;
  if (first > last) return fault(bounds, `${kind.title} range ${show(bounds)} begins after its end`);
  return { first, last, step, isOpen: false };
}

function readValue(piece: Piece, kind: CronFieldKind): number | CronFieldFault {
  const named = kind.names.indexOf(piece.text.toLowerCase());
  if (named !== -1) return kind.min + named;
  const allowed = `${kind.min} to ${kind.max}${kind.names.length > 0 ? ` or ${kind.names[0]} to ${kind.names.at(-1)}` : ''}`;
  if (!/^\+?\d+$/.test(piece.text)) return fault(piece, `${kind.title} must be ${allowed}, got ${show(piece)}`);
  const value = Number(piece.text);
  return value < kind.min || value > kind.max
    ? fault(piece, `${kind.title} must be ${allowed}, got ${piece.text}`)
    : value;
}

function readStep(piece: Piece, kind: CronFieldKind): number | CronFieldFault {
  const isWhole = /^\+?\d+$/.test(piece.text);
  const step = isWhole ? BigInt(piece.text.replace('+', '')) : 0n;
  if (step < 1n || step > maxStep) {
    return fault(piece, `step of ${kind.title} must be a whole number from 1, got ${show(piece)}`);
  }
  // A step beyond the field leaves only its first value.
  return Number(step > 60n ? 60n : step);
}

const known = new Map<string, readonly number[]>();
const maxKnown = 2_000;

/**
 * Returns the values of a range, computed by cron-parser. It is asked for one range at a time, in numbers: it refuses
 * lists that repeat a value, treats 7 as Sunday and extends `1/3` of a week to it. Results are cached, since most specs
 * consist of the same few ranges and asking costs 40 µs (bench/micro/cron.mjs).
 */
function valuesOf({ first, last, step }: Range, kind: CronFieldKind): readonly number[] {
  const key = `${kind.unit} ${first}-${last}/${step}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const fields = cronFieldKinds.map(({ unit }) => (unit === kind.unit ? `${first}-${last}/${step}` : '*'));
  const values = CronExpressionParser.parse(fields.join(' '), { tz: 'UTC' }).fields[kind.unit].values.map(Number);
  if (known.size >= maxKnown) known.clear();
  known.set(key, values);
  return values;
}

function split(piece: Piece, separator: string): readonly Piece[] {
  let offset = piece.offset;
  return piece.text.split(separator).map((text) => {
    const part = { text, offset };
    offset += text.length + separator.length;
    return part;
  });
}

function fault({ offset }: Piece, reason: string, shift = 0): CronFieldFault {
  return { reason, offset: offset + shift };
}

function show({ text }: Piece): string {
  return text === '' ? 'nothing' : JSON.stringify(text);
}
