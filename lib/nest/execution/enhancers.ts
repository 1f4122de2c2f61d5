import type { ArgumentsHost, CanActivate, NestInterceptor, PipeTransform, Type } from '@nestjs/common';
import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import { InternalError } from '../../model/errors/asynq-error.js';
import type { DecoratedMethod } from '../discovery/decorated-methods.js';

/** The enhancers of a method, in calling order; of the filters, the one nearest to the method comes first. */
export interface Enhancers {
  readonly guards: readonly CanActivate[];
  readonly interceptors: readonly NestInterceptor[];
  readonly pipes: readonly PipeTransform[];
  readonly filters: readonly BoundFilter[];
}

/** A filter, as Nest reads it from a class or an instance. */
export interface BoundFilter {
  readonly func: (error: unknown, host: ArgumentsHost) => unknown;
  /** What the filter catches; empty for everything. */
  readonly exceptionMetatypes: readonly Type<unknown>[];
}

/** Where Nest keeps the enhancers that it created for one task. */
export interface MadeFor {
  readonly contextId: ContextId;
  /** Nest's id of the provider. */
  readonly inquirerId: string;
}

/** The part of a definition that identifies the method to call. */
export type BoundMethod = Pick<DecoratedMethod<unknown>, 'host' | 'method' | 'callback' | 'type' | 'location'>;

/**
 * Asks Nest which enhancers are on a method and its class. It uses Nest's finders, since they know where a class was
 * bound and which instance belongs to it; global enhancers are not added here.
 */
export class EnhancerFinder {
  readonly #finders;

  /** @throws InternalError when Nest's internals have changed. */
  constructor(external: ExternalContextCreator) {
    this.#finders = {
      guards: withoutGlobals(external['guardsContextCreator']),
      interceptors: withoutGlobals(external['interceptorsContextCreator']),
      pipes: withoutGlobals(external['pipesContextCreator']),
      filters: withoutGlobals(external['filtersContextCreator']),
    };
  }

  /** Returns the enhancers of the method and its class; pass `made` to find those that live for only one task. */
  of({ host, callback, type }: BoundMethod, made?: MadeFor): Enhancers {
    const { guards, interceptors, pipes, filters } = this.#finders;
    // Only the instance's class is read, and there may be no instance yet.
    const instance = Object.create(type.prototype as object) as object;
    const place = [instance, callback, moduleKeyOf(host), made?.contextId, made?.inquirerId ?? host.id] as const;
    return {
      guards: guards.create(...place),
      interceptors: interceptors.create(...place),
      pipes: pipes.create(...place) as PipeTransform[],
      filters: filters.create(...place)['filters'] as readonly BoundFilter[],
    };
  }

  /** Returns the instances of the pipes of one parameter. */
  pipesOfParameter(pipes: readonly unknown[], { host }: BoundMethod, made?: MadeFor): readonly PipeTransform[] {
    const finder = this.#finders.pipes;
    finder.setModuleContext(moduleKeyOf(host));
    return finder.createConcreteContext([...pipes], made?.contextId, made?.inquirerId ?? host.id) as PipeTransform[];
  }

  /** Returns global filters in the form in which the finder returns others. */
  filters(instances: readonly object[]): readonly BoundFilter[] {
    return this.#finders.filters.createConcreteContext([...instances]) as BoundFilter[];
  }
}

/** Whether Nest creates none of the enhancers on a class and its methods for only one task. */
export function areEnhancersStatic(host: BoundMethod['host']): boolean {
  // Nest returns undefined when there is none, whatever its types promise.
  const enhancers = host.getEnhancersMetadata() as ReturnType<typeof host.getEnhancersMetadata> | undefined;
  return (enhancers ?? []).every((enhancer) => enhancer.isDependencyTreeStatic() && !enhancer.isTransient);
}

// Nest's finders add global enhancers if they know the application's configuration; this copy does not know it.
function withoutGlobals<T extends object>(finder: T | undefined): T {
  if (typeof finder !== 'object' || !('create' in finder)) {
    throw new InternalError("Nest's ExternalContextCreator has changed; this version of Nest is not supported");
  }
  return Object.create(finder, { config: { value: undefined } }) as T;
}

function moduleKeyOf({ host }: BoundMethod['host']): string {
  return host?.token ?? '';
}
