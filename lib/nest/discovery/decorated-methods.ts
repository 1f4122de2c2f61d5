import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { readMetadata } from '../decorators/append-metadata.js';

/** Nest's record of a provider or controller; its class is not among Nest's documented exports. */
export type NestHost = ReturnType<DiscoveryService['getProviders']>[number];

/** A method that carries a decorator of this library, and where it was found. */
export interface DecoratedMethod<T> {
  readonly host: NestHost;
  readonly kind: 'provider' | 'controller';
  readonly method: string;
  /** The method as the decorators see it. */
  readonly callback: (...args: unknown[]) => unknown;
  /** The class of the provider or controller. */
  readonly type: new (...args: never[]) => unknown;
  /** `EmailTasks.send in AppModule`, for messages. */
  readonly location: string;
  readonly metadata: T;
}

/** Finds decorated methods of providers and controllers. Looks at prototypes only, so no getter is run. */
export class DecoratedMethods {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** Every use of a decorator in the application, by the metadata key that it writes. */
  find<T>(key: string): readonly DecoratedMethod<T>[] {
    return [
      ...this.discovery.getProviders().flatMap((host) => this.#ofHost<T>({ host, kind: 'provider', key })),
      ...this.discovery.getControllers().flatMap((host) => this.#ofHost<T>({ host, kind: 'controller', key })),
    ];
  }

  #ofHost<T>(place: {
    readonly host: NestHost;
    readonly kind: DecoratedMethod<T>['kind'];
    readonly key: string;
  }): readonly DecoratedMethod<T>[] {
    const { host, kind, key } = place;
    const prototype = host.isAlias ? undefined : prototypeOf(host);
    if (prototype === undefined) return [];
    const type = prototype.constructor as DecoratedMethod<T>['type'];
    return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
      const callback = prototype[method] as DecoratedMethod<T>['callback'];
      const location = `${type.name}.${method} in ${host.host?.metatype.name ?? 'an unknown module'}`;
      return readMetadata(callback, key).map((metadata) => ({
        host,
        kind,
        method,
        callback,
        type,
        location,
        metadata: metadata as T,
      }));
    });
  }
}

// A host that is made per task has no instance yet, but its class is known unless a factory makes it.
function prototypeOf(host: NestHost): Record<string, unknown> | undefined {
  const instance: unknown = host.isDependencyTreeStatic() && !host.isTransient ? host.instance : undefined;
  if (typeof instance === 'object' && instance !== null) return Object.getPrototypeOf(instance) as never;
  const type: unknown = host.isNotMetatype ? undefined : host.metatype;
  return typeof type === 'function' ? (type.prototype as Record<string, unknown>) : undefined;
}
