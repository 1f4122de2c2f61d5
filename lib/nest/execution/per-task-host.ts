import { type ContextId, ContextIdFactory, ModuleRef } from '@nestjs/core';
import { InternalError } from '../../model/errors/asynq-error.js';
import type { NestHost } from '../discovery/decorated-methods.js';

/** A provider made for one task, and Nest's name for everything that was made with it. */
export interface MadeHost {
  readonly instance: Record<string, (...args: readonly unknown[]) => unknown>;
  readonly contextId: ContextId;
}

/** Whether a provider has to be made anew for every task: it, or something that it needs, is request-scoped or transient. */
export function isMadePerTask(host: NestHost): boolean {
  return host.isTransient || !host.isDependencyTreeStatic();
}

/**
 * Makes a provider for one task (or event), which `REQUEST` injects; a durable one gets what the application's
 * context strategy names as its payload, when there is a strategy.
 */
export async function makeHost(host: NestHost, subject: object): Promise<MadeHost> {
  const contextId = ContextIdFactory.getByRequest(subject);
  const durablePayload: unknown = host.isDependencyTreeDurable() ? contextId.payload : undefined;
  // The module that provides it is asked, since another one may provide something under the same token.
  const moduleRef: unknown = host.host?.providers.get(ModuleRef)?.instance;
  if (!(moduleRef instanceof ModuleRef)) throw new InternalError(`The module of ${String(host.name)} has no ModuleRef`);
  moduleRef.registerRequestByContextId(durablePayload ?? subject, contextId);
  const instance = await moduleRef.resolve<MadeHost['instance']>(host.token as never, contextId, { strict: true });
  return { instance, contextId };
}
