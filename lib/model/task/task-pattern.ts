import { InvalidOptionError } from '../errors/option-errors.js';
import { HandlerConflictError } from '../errors/task-errors.js';
import { checkOneOf, isBlank, refuse } from '../options/check.js';
import type { TaskDefinition } from './task-definition.js';

/** How a pattern is compared with a task's type: the whole of it, or its beginning. */
export type PatternMatch = 'exact' | 'prefix';

/** The task types that a handler is for. */
export interface TaskPattern {
  /** The type, or what it starts with. */
  readonly type: string;
  readonly match: PatternMatch;
}

/** What may be said of a pattern besides its text. */
export interface PatternOptions {
  /**
   * `'exact'` takes the type alone, `'prefix'` every type that starts with the text. Default: a text that ends in `:`
   * is a prefix; any other text, and every task definition, is exact.
   */
  readonly match?: PatternMatch | undefined;
}

/**
 * The pattern that a text or a task definition means.
 *
 * @throws HandlerConflictError when it is blank.
 * @throws InvalidOptionError when it is neither text nor a definition, has a wildcard, or a definition is to be a prefix.
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

/** Whether two patterns mean the same, as a key for maps. */
export function patternKey({ type, match }: TaskPattern): string {
  return `${match} ${type}`;
}

/** A pattern in words, for messages: `"email:send"`, `"email:" (prefix)`. */
export function showPattern({ type, match }: TaskPattern): string {
  return match === 'exact' ? `"${type}"` : `"${type}" (prefix)`;
}

/** What both patterns match, as one pattern; `undefined` when they have no type in common. */
export function intersectPatterns(one: TaskPattern, other: TaskPattern): TaskPattern | undefined {
  const [long, short] = one.type.length >= other.type.length ? [one, other] : [other, one];
  if (long.type === short.type) return long.match === 'exact' ? long : short;
  return short.match === 'prefix' && long.type.startsWith(short.type) ? long : undefined;
}

// A definition from a file that imports the handler's own is `undefined` while the handler's file is read.
function textOf(given: unknown, path: string): string {
  const type: unknown = typeof given === 'string' ? given : (given as TaskDefinition | undefined | null)?.type;
  if (typeof type === 'string') return type;
  return refuse({ path, value: given }, 'a task type, a prefix or what defineTask made');
}

function refuseWildcard(type: string, path: string): never {
  const prefix = type.slice(0, type.indexOf('*'));
  const fix = prefix.endsWith(':') ? `write "${prefix}"` : `write "${prefix}" with { match: 'prefix' }`;
  throw new InvalidOptionError({
    path,
    value: type,
    allowed: 'text without wildcards',
    message: `${path} has a wildcard, which means nothing in "${type}": ${fix}, or say { match: 'exact' } when the type has a "*" in it`,
  });
}
