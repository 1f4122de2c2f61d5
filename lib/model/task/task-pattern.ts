import { InvalidOptionError } from '../errors/option-errors.js';
import { HandlerConflictError } from '../errors/task-errors.js';
import { checkOneOf, isBlank, refuse } from '../options/check.js';
import type { TaskDefinition } from './task-definition.js';

/** How a pattern is compared with a task's type: with all of it, or with its beginning. */
export type PatternMatch = 'exact' | 'prefix';

/** The task types that a handler is for. */
export interface TaskPattern {
  /** The type, or a prefix of it. */
  readonly type: string;
  readonly match: PatternMatch;
}

/** Options of a pattern. */
export interface PatternOptions {
  /**
   * `'exact'` matches only that type, `'prefix'` every type that starts with the pattern. Default: a string that ends
   * in `:` is a prefix; any other string, and every task definition, is exact.
   */
  readonly match?: PatternMatch | undefined;
}

/**
 * Returns the pattern for a string or a task definition.
 *
 * @throws HandlerConflictError when it is blank.
 * @throws InvalidOptionError when it is neither text nor a definition, has a wildcard, or a definition is used as a
 * prefix.
 */
export function taskPatternOf(
  given: string | TaskDefinition,
  { match, path }: PatternOptions & { readonly path: string },
): TaskPattern {
  const type = textOf(given, path);
  if (isBlank(type)) throw new HandlerConflictError(`${path} must not be blank`);
  if (match !== undefined) checkOneOf({ path: `${path}, match`, value: match }, ['exact', 'prefix']);
  if (typeof given !== 'string') {
    if (match === 'prefix') refuse({ path: `${path}, match`, value: match }, "'exact' for a task definition");
    return { type, match: 'exact' };
  }
  if (type.includes('*') && match === undefined) refuseWildcard(type, path);
  return { type, match: match ?? (type.endsWith(':') ? 'prefix' : 'exact') };
}

/** Returns a map key that is equal for equal patterns. */
export function patternKey({ type, match }: TaskPattern): string {
  return `${match} ${type}`;
}

/** Describes a pattern for messages: `"email:send"`, `"email:" (prefix)`. */
export function showPattern({ type, match }: TaskPattern): string {
  return match === 'exact' ? `"${type}"` : `"${type}" (prefix)`;
}

/** Returns the intersection of two patterns; `undefined` if they have no type in common. */
export function intersectPatterns(one: TaskPattern, other: TaskPattern): TaskPattern | undefined {
  const [long, short] = one.type.length >= other.type.length ? [one, other] : [other, one];
  if (long.type === short.type) return long.match === 'exact' ? long : short;
  return short.match === 'prefix' && long.type.startsWith(short.type) ? long : undefined;
}

// With circular imports, a definition is `undefined` while the handler's file is loaded.
function textOf(given: unknown, path: string): string {
  const type: unknown = typeof given === 'string' ? given : (given as TaskDefinition | undefined | null)?.type;
  if (typeof type === 'string') return type;
  return refuse({ path, value: given }, 'a task type, a prefix or a definition from defineTask');
}

function refuseWildcard(type: string, path: string): never {
  const prefix = type.slice(0, type.indexOf('*'));
  const fix = prefix.endsWith(':') ? `write "${prefix}"` : `write "${prefix}" with { match: 'prefix' }`;
  throw new InvalidOptionError({
    path,
    value: type,
    allowed: 'text without wildcards',
    message: `${path} has a wildcard, and wildcards are not supported, in "${type}": ${fix}, or use { match: 'exact' } if the type contains a "*"`,
  });
}
