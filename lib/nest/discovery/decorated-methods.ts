import type { Type } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { readMetadata } from '../decorators/decorate-method.js';

/** Nest's record of a provider or controller; Nest does not export its class publicly. */
export type NestHost = ReturnType<DiscoveryService['getProviders']>[number];

/** A method with a decorator of this library, and where it was found. */
export interface DecoratedMethod<T> {
  readonly host: NestHost;
  readonly kind: 'provider' | 'controller';
  readonly method: string | symbol;
  /** The method as decorators see it. */
  readonly callback: (...args: unknown[]) => unknown;
  /** The class of the provider or controller. */
  readonly type: Type<unknown>;
  /** `EmailTasks.send`. */
  readonly name: string;
  /** `EmailTasks.send in AppModule`, for messages. */
  readonly location: string;
  readonly metadata: T;
}

type Found = Omit<DecoratedMethod<unknown>, 'metadata'>;

/**
 * Finds decorated methods of providers and controllers. Application objects are handled with care: getters are not
 * called, and a value that throws when inspected counts as having no methods.
 */
export class DecoratedMethods {
  #found: readonly Found[] | undefined;

  constructor(private readonly discovery: DiscoveryService) {}

  /** Returns every use of a decorator in the application, given the metadata key that it writes. */
  find<T>(key: string): readonly DecoratedMethod<T>[] {
    return this.#methods().flatMap((found) =>
      readMetadata(found.callback, key).map((metadata) => ({ ...found, metadata: metadata as T })),
    );
  }

  #methods(): readonly Found[] {
    if (this.#found !== undefined) return this.#found;
    const seen = new Set<unknown>();
    const places = [
      ...this.discovery.getProviders().map((host) => ({ host, kind: 'provider' }) as const),
      ...this.discovery.getControllers().map((host) => ({ host, kind: 'controller' }) as const),
    ];
    return (this.#found = places.flatMap(({ host, kind }) => {
      try {
        const instance = instanceOf(host);
        // One object may be provided under several tokens, for example by factories.
        if (instance !== undefined && seen.has(instance)) return [];
        seen.add(instance);
        return methodsOf(host, { kind, instance });
      } catch {
        return [];
      }
    }));
  }
}

function methodsOf(
  host: NestHost,
  { kind, instance }: Pick<Found, 'kind'> & { readonly instance: object | undefined },
): readonly Found[] {
  const prototypes = chainOf(instance === undefined ? classOf(host)?.prototype : Object.getPrototypeOf(instance));
  const type = prototypes.map((prototype) => valueOf(prototype, 'constructor')).find((value) => value !== undefined);
  const methods = new Map<string | symbol, Found>();
  for (const prototype of prototypes) {
    for (const method of Reflect.ownKeys(prototype)) {
      const callback = valueOf(prototype, method);
      if (callback === undefined || type === undefined || method === 'constructor' || methods.has(method)) continue;
      const name = `${type.name}.${String(method)}`;
      const location = `${name} in ${host.host?.metatype.name ?? 'an unknown module'}`;
      methods.set(method, { host, kind, method, callback, type: type as unknown as Type<unknown>, name, location });
    }
  }
  return [...methods.values()];
}

function instanceOf(host: NestHost): object | undefined {
  if (host.isAlias || host.isTransient || !host.isDependencyTreeStatic()) return undefined;
  const instance: unknown = host.instance;
  return typeof instance === 'object' && instance !== null ? instance : undefined;
}

/** Returns the class of a per-task provider, which has no instance yet; for a factory, the class that is its token. */
function classOf(host: NestHost): { readonly prototype: unknown } | undefined {
  if (host.isAlias || (host.isDependencyTreeStatic() && !host.isTransient)) return undefined;
  const type: unknown = host.isNotMetatype ? host.token : host.metatype;
  return typeof type === 'function' ? type : undefined;
}

/** Returns the prototypes that methods are inherited from, nearest first. */
function chainOf(prototype: unknown): readonly object[] {
  const chain: object[] = [];
  let next: unknown = prototype;
  while (typeof next === 'object' && next !== null && next !== Object.prototype) {
    chain.push(next);
    next = Object.getPrototypeOf(next);
  }
  return chain;
}

function valueOf(prototype: object, key: string | symbol): DecoratedMethod<unknown>['callback'] | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(prototype, key)?.value;
  return typeof value === 'function' ? (value as DecoratedMethod<unknown>['callback']) : undefined;
}
