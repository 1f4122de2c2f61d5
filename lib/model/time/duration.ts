/** A duration in milliseconds. */
export type Ms = number & { readonly unit: 'ms' };

/** An instant: milliseconds since the Unix epoch. */
export type EpochMs = number & { readonly unit: 'epoch-ms' };

/** `A`, `B`, or `A` followed by `B`. */
type Then<A extends string, B extends string> = A | B | `${A}${B}`;
type Seconds = Then<`${number}s`, `${number}ms`>;
type Hours = Then<`${number}h`, Then<`${number}m`, Seconds>>;

/**
 * What users may write for a duration: `'30s'`, `'1h30m'`, `'1.5h'`, `'7d'`, or a number of milliseconds. Units are `d`
 * (24 hours), `h`, `m`, `s`, `ms`, `us` (or `µs`) and `ns`; of several the longest comes first. For text that the
 * compiler does not know, such as configuration, use {@link parseDuration}.
 *
 * To the compiler a number in text may have blanks, an exponent or a sign of its own (`'2 s'`, `'1e3s'`, `'1h-30m'`), or
 * `` `${hours}h` `` would not compile either; such text is refused when it is read.
 *
 * @example
 * await asynq.enqueue('email:tips', { userId }, { processIn: `${hours}h`, timeout: parseDuration(config.get('TIMEOUT')) });
 */
export type Duration = number | '0' | Then<`${number}d`, Hours> | `${number}${'us' | 'µs' | 'μs' | 'ns'}`;

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const durationText = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+$/;
const durationPart = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/g;

/** The allowed forms of a duration, for error messages. */
export const durationForms = "a duration such as '30s', '24h', '1h30m' or a number of milliseconds";

/** Marks a number of milliseconds as a duration. */
export function ms(value: number): Ms {
  return value as Ms;
}

/** Marks a number of milliseconds since the Unix epoch as an instant. */
export function epochMs(value: number): EpochMs {
  return value as EpochMs;
}

/**
 * Parses a duration as users write it: Go's syntax (`1h30m`, `250ms`, `-1.5h`) plus `d` for 24 hours, or milliseconds.
 *
 * @returns milliseconds, or `undefined` when the input is not a duration (C-74).
 */
export function readDuration(input: unknown): Ms | undefined {
  if (typeof input === 'number') return Number.isFinite(input) ? ms(input) : undefined;
  if (typeof input !== 'string') return undefined;
  if (input === '0') return ms(0);
  if (!durationText.test(input)) return undefined;
  let total = 0;
  for (const [, amount, unit] of input.matchAll(durationPart)) total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  // Sums of fractions (`1ns`) must not leave binary rounding errors.
  const rounded = Math.round(total * 1e6) / 1e6;
  return ms(input.startsWith('-') ? -rounded : rounded);
}

/** Returns the instant `delay` after `instant`. */
export function addMs(instant: EpochMs, delay: Ms): EpochMs {
  return epochMs(instant + delay);
}

/** Returns the instant `delay` before `instant`. */
export function subtractMs(instant: EpochMs, delay: Ms): EpochMs {
  return epochMs(instant - delay);
}

/** Returns the time from `start` to `end`; negative if `end` is earlier. */
export function elapsed(start: EpochMs, end: EpochMs): Ms {
  return ms(end - start);
}

/** Returns the whole seconds of an instant, truncated: how the protocol writes most times (P-07). */
export function toEpochSeconds(instant: EpochMs): number {
  return Math.floor(instant / 1_000);
}

/** Returns the whole seconds of an instant, rounded up: for times before which nothing may start. */
export function toEpochSecondsUp(instant: EpochMs): number {
  return Math.ceil(instant / 1_000);
}

/** Returns the instant of whole seconds from the wire. */
export function fromEpochSeconds(seconds: number): EpochMs {
  return epochMs(seconds * 1_000);
}

/** Returns the whole seconds of a duration, rounded up, so that a short limit never becomes "no limit". */
export function toSecondsUp(duration: Ms): number {
  return Math.ceil(duration / 1_000);
}

/** Returns a lifetime in whole seconds, rounded up, and at least one, since Redis allows no less. */
export function toLifetimeSeconds(duration: Ms): number {
  return Math.max(1, toSecondsUp(duration));
}

/**
 * Returns a limit in whole seconds, truncated as in Asynq, but at least one unless there is no limit, so that a
 * short limit never becomes "no limit".
 */
export function toLimitSeconds(duration: Ms): number {
  return duration > 0 ? Math.max(1, Math.floor(duration / 1_000)) : 0;
}

/** Returns the duration of a number of seconds from the wire. */
export function fromSeconds(seconds: number): Ms {
  return ms(seconds * 1_000);
}
