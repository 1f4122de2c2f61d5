import { InvalidOptionError } from '../errors/option-errors.js';
import { durationForms, epochMs, type EpochMs, type Ms, readDuration } from '../time/duration.js';
import { hintForForeign, hintForMisplaced } from './foreign-names.js';
import { suggest } from './suggest.js';

/** The given value of an option, and its path: `AsynqModule: server.queues.critical`. */
export interface Given<T = unknown> {
  readonly path: string;
  readonly value: T;
}

/** Joins paths: `AsynqModule:` + `server` is `AsynqModule: server`, that + `queues` is `AsynqModule: server.queues`. */
export function pathOf(outer: string, name: string): string {
  return outer.endsWith(':') ? `${outer} ${name}` : `${outer}.${name}`;
}

/** Refuses a value with a description of what is allowed. */
export function refuse(given: Given, allowed: string): never {
  throw new InvalidOptionError({ path: given.path, value: given.value, allowed });
}

/** Whether a text is valid Unicode, without lone surrogates, so that it survives UTF-8. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Checks for an object that is not an array or a Date. */
export function checkObject(given: Given): Readonly<Record<string, unknown>> {
  const { value } = given;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) {
    return refuse(given, 'an object');
  }
  return value as Readonly<Record<string, unknown>>;
}

/** Refuses an object with a name that is not in `names`, and suggests the one that was probably meant. */
export function checkNames(given: Given, names: readonly string[]): void {
  for (const name of Object.keys(checkObject(given))) {
    if (!names.includes(name)) throw unknownOption(pathOf(given.path, name), names);
  }
}

/**
 * Returns the error for an option that does not exist; `path` ends with its name. The error suggests the option that
 * was meant, even for names of other libraries.
 */
export function unknownOption(path: string, names: readonly string[]): InvalidOptionError {
  const name = path.slice(Math.max(path.lastIndexOf('.'), path.lastIndexOf(' ')) + 1);
  const hint =
    hintForForeign(name, names) ??
    hintForNear(name, names) ??
    hintForMisplaced(name) ??
    `the options are ${names.join(', ')}`;
  return new InvalidOptionError({
    path,
    value: name,
    allowed: `one of ${names.join(', ')}`,
    message: `${path} is not an option; ${hint}`,
  });
}

function hintForNear(name: string, names: readonly string[]): string | undefined {
  const meant = suggest(name, names);
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}

/** Checks for a whole number from `min` to `max`, inclusive. */
export function checkInteger(given: Given, range: { readonly min: number; readonly max?: number }): number {
  const { value } = given;
  const { min, max = Number.MAX_SAFE_INTEGER } = range;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  // The upper end is mentioned only if it was exceeded.
  if (min === 1 && !(typeof value === 'number' && value > max)) return refuse(given, 'a positive integer');
  return refuse(given, range.max === undefined ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`);
}

/** Checks for `true` or `false`. */
export function checkBoolean(given: Given): boolean {
  return typeof given.value === 'boolean' ? given.value : refuse(given, 'true or false');
}

/** Checks for a function; its signature cannot be checked. */
export function checkFunction<F>(given: Given<F>): F {
  return typeof given.value === 'function' ? given.value : refuse(given, 'a function');
}

/** Checks for one of some words. */
export function checkOneOf<const T extends string>(given: Given, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === given.value);
  return word ?? refuse(given, `one of ${words.map((candidate) => `'${candidate}'`).join(', ')}`);
}

/** Checks for text that is not blank and is valid Unicode; it is not trimmed. */
export function checkText(given: Given): string {
  const { value } = given;
  if (typeof value !== 'string' || isBlank(value)) return refuse(given, 'text that is not blank');
  return isWellFormed(value) ? value : refuse(given, 'valid Unicode text (it has a lone surrogate)');
}

/** Checks for a duration; not negative, or longer than zero with `least`. */
export function checkDuration(given: Given, least: 'zero' | 'above-zero' = 'zero'): Ms {
  const duration = readDuration(given.value);
  if (duration === undefined) return refuse(given, durationForms);
  if (duration > 0 || (duration === 0 && least === 'zero')) return duration;
  return refuse(given, least === 'zero' ? `${durationForms}, not negative` : `${durationForms}, longer than zero`);
}

/** Checks for a length above zero, or `false` where an option can be turned off. */
export function checkDurationOrFalse(given: Given): Ms | false {
  if (given.value === false) return false;
  const duration = readDuration(given.value);
  return duration !== undefined && duration > 0
    ? duration
    : refuse(given, `${durationForms}, longer than zero, or false`);
}

/** Checks for an instant: a valid Date. */
export function checkInstant(given: Given): EpochMs {
  const { value } = given;
  const instant = value instanceof Date ? value.getTime() : Number.NaN;
  return Number.isNaN(instant) ? refuse(given, 'a valid Date') : epochMs(instant);
}

// Go treats U+0085 as white space, JavaScript does not.
const visible = /[^\s\u0085]/u;

/** Whether a text is empty or contains only white space. */
export function isBlank(text: string): boolean {
  return !visible.test(text);
}
