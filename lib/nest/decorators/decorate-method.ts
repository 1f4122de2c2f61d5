// oxlint-disable-next-line import/no-unassigned-import -- it adds `Reflect.defineMetadata` and exports nothing
import 'reflect-metadata';
import { InvalidOptionError } from '../../model/errors/option-errors.js';

/** What a method decorator is given. */
export interface DecoratedPlace {
  /** For messages: `@TaskHandler`. */
  readonly decorator: string;
  readonly target: object;
  readonly method: string | symbol;
  /** Of a property there is none, or one without a value, depending on the compiler. */
  readonly descriptor: PropertyDescriptor | undefined;
}

/**
 * Adds metadata to the list that a method carries under a metadata key; decorators apply from the bottom up.
 *
 * @throws InvalidOptionError on anything but a method of instances, which would never be called.
 */
export function decorateMethod(
  place: DecoratedPlace,
  added: { readonly key: string; readonly metadata: object },
): void {
  const { target, descriptor } = place;
  if (typeof target === 'function') throw misplaced(place, target, 'a static method');
  const method: unknown = descriptor?.value;
  if (typeof method !== 'function') {
    const isAccessor = descriptor?.get !== undefined || descriptor?.set !== undefined;
    throw misplaced(place, target.constructor, isAccessor ? 'a getter or setter' : 'a property');
  }
  Reflect.defineMetadata(added.key, [added.metadata, ...readMetadata(method, added.key)], method);
}

/** The list that a method carries under a metadata key, in the order in which it was written. */
export function readMetadata(method: object, key: string): readonly unknown[] {
  return (Reflect.getOwnMetadata(key, method) as readonly unknown[] | undefined) ?? [];
}

function misplaced({ decorator, method }: DecoratedPlace, { name }: { readonly name: string }, what: string): Error {
  const path = `${decorator} on ${name}.${String(method)}`;
  const allowed = `on a method: ${String(method)}() { ... }`;
  return new InvalidOptionError({
    path,
    value: what,
    allowed,
    message: `${path} must be ${allowed}; it is on ${what}`,
  });
}
