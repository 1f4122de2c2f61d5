// oxlint-disable-next-line import/no-unassigned-import -- it adds `Reflect.defineMetadata` and exports nothing
import 'reflect-metadata';

/** Adds an entry to the list that a method carries under a metadata key; decorators apply from the bottom up. */
export function appendMetadata(method: object, added: { readonly key: string; readonly entry: object }): void {
  const before = readMetadata(method, added.key);
  Reflect.defineMetadata(added.key, [added.entry, ...before], method);
}

/** The list that a method carries under a metadata key, in the order in which it was written. */
export function readMetadata(method: object, key: string): readonly unknown[] {
  return (Reflect.getOwnMetadata(key, method) as readonly unknown[] | undefined) ?? [];
}
