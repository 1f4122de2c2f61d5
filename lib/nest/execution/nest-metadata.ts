import { Body, Inject } from '@nestjs/common';
import { InternalError } from '../../model/errors/asynq-error.js';

// The keys under which Nest keeps decorator metadata. Each is found by decorating a probe and reading the metadata,
// because Nest does not export them, and a copied name would fail silently once it changes.

/** Key of the decorated parameters of a method, on its class. */
export const methodParametersKey = findOnce((probe) => {
  Body()(probe.prototype, 'method', 0);
  return Reflect.getOwnMetadataKeys(probe, 'method');
});

/** Key of the constructor parameters that have `@Inject`, on the class. */
export const constructorParametersKey = findOnce((probe) => {
  Inject('probe')(probe, undefined, 0);
  return Reflect.getOwnMetadataKeys(probe);
});

/** Key of the properties that have `@Inject`, on the class. */
export const injectedPropertiesKey = findOnce((probe) => {
  Inject('probe')(probe.prototype, 'property');
  return Reflect.getOwnMetadataKeys(probe);
});

interface Probe {
  readonly prototype: object;
  new (): object;
}

function findOnce(decorate: (probe: Probe) => readonly unknown[]): () => string {
  let found: string | undefined;
  return () => {
    if (found !== undefined) return found;
    const keys = decorate(
      class {
        method(): void {}
      },
    );
    const [key] = keys;
    if (typeof key === 'string' && keys.length === 1) return (found = key);
    throw new InternalError(`Nest keeps parameters under ${keys.length} names; this version of Nest is not supported`);
  };
}
