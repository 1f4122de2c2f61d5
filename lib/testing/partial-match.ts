import { isDeepStrictEqual } from 'node:util';

/** Where and how a value differs from what was expected of it. */
export interface Difference {
  /** `payload.user.id`; empty for the value itself. */
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** An asymmetric matcher of Jest or Vitest: `expect.any(Number)`, `expect.stringContaining('x')`. */
interface AsymmetricMatcher {
  asymmetricMatch(actual: unknown): boolean;
}

/**
 * Returns how `actual` differs from `expected`. As in `toMatchObject`, expected objects may have fewer properties;
 * arrays must have the same length, asymmetric matchers decide for themselves, and everything else must be deeply
 * equal.
 */
export function differencesOf(expected: unknown, actual: unknown, path = ''): readonly Difference[] {
  const difference: readonly Difference[] = [{ path, expected, actual }];
  if (isAsymmetric(expected)) return expected.asymmetricMatch(actual) ? [] : difference;
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return difference;
    return expected.flatMap((item, index) => differencesOf(item, actual[index], `${path}[${index}]`));
  }
  if (isPlain(expected)) {
    if (typeof actual !== 'object' || actual === null) return difference;
    return Object.entries(expected).flatMap(([key, value]) =>
      differencesOf(value, (actual as Readonly<Record<string, unknown>>)[key], path === '' ? key : `${path}.${key}`),
    );
  }
  return isDeepStrictEqual(expected, actual) ? [] : difference;
}

function isAsymmetric(value: unknown): value is AsymmetricMatcher {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { readonly asymmetricMatch?: unknown }).asymmetricMatch === 'function'
  );
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A test runner's objects may come from another realm, with an Object of its own.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
