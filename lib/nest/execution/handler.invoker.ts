import type { ExternalContextCreator } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Handler } from '../../engine/middleware.js';
import type { DecoratedMethod } from '../discovery/decorated-methods.js';
import { HandlerPipeline } from './handler-pipeline.js';
import { learnNestMetadataKeys, type NestMetadataKeys } from './nest-metadata.js';
import { isMadePerTask, type MadeHost, makeHost } from './per-task-host.js';

/** Whether the application has guards, interceptors or filters that apply everywhere. */
export interface GlobalEnhancers {
  readonly guardsOrInterceptors: 'some' | 'none';
  readonly filters: 'some' | 'none';
}

/** The part of a definition that says what is to be called. */
export type BoundMethod = Pick<DecoratedMethod<unknown>, 'host' | 'method' | 'callback' | 'type'>;

/**
 * Turns methods into handlers. A method that nothing of Nest surrounds is called directly: nothing is made for a task
 * beyond the call. The others go through Nest's own machinery.
 */
export class HandlerInvoker {
  readonly #keys: NestMetadataKeys = learnNestMetadataKeys();

  constructor(
    private readonly external: ExternalContextCreator,
    private readonly globalEnhancers: GlobalEnhancers,
  ) {}

  /** The function that runs the method for a task. */
  bind(bound: BoundMethod): Handler {
    const { host, method } = bound;
    const pipeline = this.#pipelineOf(bound);
    if (!isMadePerTask(host)) {
      const instance = host.instance as MadeHost['instance'];
      return pipeline?.forInstance(instance) ?? ((task) => unwrapped(instance[method]?.(task)));
    }
    return async (task) => {
      const { instance, contextId } = await makeHost(host, task);
      if (pipeline === undefined) return await unwrapped(instance[method]?.(task));
      return await pipeline.forInstance(instance, { contextId, inquirerId: host.id })(task);
    };
  }

  // Nothing when the method is to be called as it is.
  #pipelineOf({ method, callback, type }: BoundMethod): HandlerPipeline | undefined {
    const { guards, interceptors, filters, parameters } = this.#keys;
    const uses = (key: string): boolean => Reflect.hasMetadata(key, callback) || Reflect.hasMetadata(key, type);
    const hasFilters = this.globalEnhancers.filters === 'some' || uses(filters);
    const hasOthers = this.globalEnhancers.guardsOrInterceptors === 'some' || uses(guards) || uses(interceptors);
    const hasParameters = Reflect.hasMetadata(parameters, type, method);
    if (!hasFilters && !hasOthers && !hasParameters) return undefined;
    return new HandlerPipeline({
      external: this.external,
      keys: this.#keys,
      methodName: method,
      method: callback,
      parameters: hasParameters ? 'decorated' : 'task',
      filters: hasFilters ? 'some' : 'none',
    });
  }
}

// Nest's methods may answer with an Observable; its last value counts.
function unwrapped(result: unknown): unknown {
  return isObservable(result) ? lastValueFrom(result) : result;
}
