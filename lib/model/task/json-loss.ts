import { types } from 'node:util';

/** A value inside a payload that JSON would drop or turn into something else, and where it is. */
export interface JsonLoss {
  /** Property names and indexes from the payload to the value. */
  readonly path: (string | number)[];
  /** What it is: `a function`, `a Map`, `NaN`. */
  readonly what: string;
}

/**
 * The first value that JSON would lose without an error: a function, a symbol, NaN and the infinities, an invalid Date,
 * and objects of which JSON sees nothing (Map, Set, RegExp, Error, promises, bytes, whatever else is iterated, and what
 * the platform makes: Blob, Response, WeakRef, Intl's formats).
 * What has a `toJSON` speaks for itself; `undefined` is left out by JSON, which is what leaving it out means.
 *
 * It runs for every payload, so it allocates nothing until something is found. Call it only with values that
 * JSON.stringify accepted, since cycles would never end. Measured by `bench/micro/payload.mjs`.
 */
export function findJsonLoss(value: unknown): JsonLoss | undefined {
  if (typeof value === 'object') return value === null ? undefined : lossInObject(value);
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { path: [], what: String(value) };
  if (typeof value === 'function' || typeof value === 'symbol') return { path: [], what: `a ${typeof value}` };
  return undefined;
}

/** Formats the place of a loss, beginning with `root`: `payload.items[3]["first name"]`. */
export function showLossPath({ path }: JsonLoss, root: string): string {
  const parts = path.map((part) => {
    if (typeof part === 'number') return `[${part}]`;
    return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
  });
  return `${root}${parts.join('')}`;
}

function lossInObject(value: object): JsonLoss | undefined {
  if (Array.isArray(value)) return lossInArray(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) {
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return lossInSpokenFor(value);
    const what = lostKind(value);
    if (what !== undefined) return { path: [], what };
  }
  for (const name in value) {
    const field = (value as Record<string, unknown>)[name];
    // Payloads consist mostly of strings.
    if (typeof field === 'string') continue;
    const loss = findJsonLoss(field);
    // JSON ignores inherited properties.
    if (loss !== undefined && Object.hasOwn(value, name)) return under(name, loss);
  }
  return undefined;
}

function lossInArray(value: readonly unknown[]): JsonLoss | undefined {
  for (let index = 0; index < value.length; index += 1) {
    const item = value[index];
    if (typeof item === 'string') continue;
    const loss = findJsonLoss(item);
    if (loss !== undefined) return under(index, loss);
  }
  return undefined;
}

function lossInSpokenFor(value: object): JsonLoss | undefined {
  if (!types.isDate(value) || !Number.isNaN(value.getTime())) return undefined;
  return { path: [], what: 'an invalid Date' };
}

/** Names the kind of an object whose content JSON cannot see; `undefined` for instances of ordinary classes. */
function lostKind(value: object): string | undefined {
  if (types.isBoxedPrimitive(value)) return findJsonLoss(value.valueOf())?.what;
  const isLost =
    value instanceof Error ||
    types.isNativeError(value) ||
    types.isRegExp(value) ||
    types.isPromise(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isDataView(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    Symbol.iterator in value ||
    Symbol.asyncIterator in value ||
    // What the platform makes names its kind, and shows nothing of what it holds.
    (Symbol.toStringTag in value && Object.keys(value).length === 0);
  if (!isLost) return undefined;
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an iterator';
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

function under(part: string | number, loss: JsonLoss): JsonLoss {
  loss.path.unshift(part);
  return loss;
}
