// oxlint-disable-next-line import/no-unassigned-import -- it adds `Reflect.defineMetadata` and exports nothing
import 'reflect-metadata';
import { InvalidOptionError } from '../../model/errors/option-errors.js';

/** Where a method decorator was applied. */
export interface DecoratedPlace {
  /** Name of the decorator for messages: `@TaskHandler`. */
  readonly decorator: string;
  readonly target: object;
  readonly method: string | symbol;
  /** For a property it is absent or has no value, depending on the compiler. */
  readonly descriptor: PropertyDescriptor | undefined;
}

/**
 * Adds metadata to the list under a metadata key of a method; decorators apply from the bottom up.
 *
 * @throws InvalidOptionError on anything but an instance method, since it would never be called.
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

/** Returns the list under a metadata key of a method, in source order. */
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
