import { type ContextId, ContextIdFactory, ModuleRef } from '@nestjs/core';
import { InternalError } from '../../model/errors/asynq-error.js';
import type { DecoratedMethod, NestHost } from '../discovery/decorated-methods.js';

/** A provider or controller. */
export type ProviderInstance = Readonly<Record<string | symbol, unknown>>;

/** A provider created for one task, and Nest's id for everything created with it. */
export interface ResolvedProvider {
  readonly instance: ProviderInstance;
  readonly contextId: ContextId;
}

/** Returns whether a provider must be created for every task: it or a dependency is request-scoped or transient. */
export function isCreatedPerTask(host: NestHost): boolean {
  return host.isTransient || !host.isDependencyTreeStatic();
}

/** Calls a method. @throws InternalError when a factory has created something other than the class that it provides. */
export function callMethod(
  instance: ProviderInstance,
  { method, location }: Pick<DecoratedMethod<unknown>, 'method' | 'location'>,
  args: readonly unknown[],
): unknown {
  const found = instance[method];
  if (typeof found !== 'function')
    throw new InternalError(`${location} is not a method of what its provider has created`);
  return Reflect.apply(found, instance, args);
}

/** What a provider is created for. */
export interface ProviderSubject {
  /** A task, event or group. */
  readonly subject: object;
  /** Nest's context for the subject; asked for unless given. */
  readonly contextId?: ContextId;
}

/**
 * Creates a provider for one task, event or group, which `REQUEST` injects; for a durable provider, `REQUEST` injects
 * the payload of the application's context strategy, if there is one. For a provider that lives as long as the
 * application, returns the same instance each time, with a context for its enhancers.
 */
export async function resolveProvider(
  host: NestHost,
  { subject, contextId = ContextIdFactory.getByRequest(subject) }: ProviderSubject,
): Promise<ResolvedProvider> {
  const moduleRef = moduleRefOf(host);
  const durablePayload: unknown = host.isDependencyTreeDurable() ? contextId.payload : undefined;
  moduleRef.registerRequestByContextId(durablePayload ?? subject, contextId);
  const instance = isCreatedPerTask(host)
    ? await moduleRef.resolve<ProviderInstance>(host.token as never, contextId, { strict: true })
    : (host.instance as ProviderInstance);
  return { instance, contextId };
}

/** Returns whether the application has a function that decorates every instance that Nest creates (`instrument`). */
export function areInstancesDecorated(host: NestHost): boolean {
  return moduleRefOf(host)['container'].contextOptions?.instrument !== undefined;
}

// Asks the providing module, since another one may provide something under the same token.
function moduleRefOf(host: NestHost): ModuleRef {
  const moduleRef: unknown = host.host?.providers.get(ModuleRef)?.instance;
  if (!(moduleRef instanceof ModuleRef)) throw new InternalError(`The module of ${String(host.name)} has no ModuleRef`);
  return moduleRef;
}
