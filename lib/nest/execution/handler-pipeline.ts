import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import type { Handler } from '../../engine/middleware.js';
import type { Task } from '../../engine/server/handler-task.js';
import { RevokeTaskError, SkipRetryError, SnoozeError } from '../../model/errors/control-errors.js';
import { asynqContextType } from './execution-context.js';
import type { NestMetadataKeys } from './nest-metadata.js';
import { asInvalidPayload, isPayloadRefusal } from './payload-refusal.js';

type Instance = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
type Method = (this: unknown, ...args: unknown[]) => unknown;

/** A method to be called through Nest, and what surrounds it. */
export interface PipelineDeps {
  readonly external: ExternalContextCreator;
  readonly keys: NestMetadataKeys;
  readonly methodName: string;
  readonly method: Method;
  /** Whether the method has decorated parameters; without any it is given the task. */
  readonly parameters: 'decorated' | 'task';
  readonly filters: 'some' | 'none';
}

/** Where Nest looks for the enhancers of an instance that was made for one task. */
export interface MadeFor {
  readonly contextId: ContextId;
  /** Nest's id of the provider. */
  readonly inquirerId: string;
}

const guardsAndInterceptors = { guards: true, interceptors: true, filters: false };
const pipesOnly = { guards: false, interceptors: false, filters: false };
const filtersOnly = { guards: false, interceptors: false, filters: true };

/**
 * Calls a method through Nest: guards, interceptors, pipes, the method; then filters, if it failed.
 *
 * The three are asked of Nest apart, because their failures mean different things: a payload that a pipe refuses can
 * never succeed, and a filter that has nothing to say must not turn a failure into a success.
 */
export class HandlerPipeline {
  readonly #collectParameters: Method;
  readonly #rethrow: Method;

  constructor(private readonly deps: PipelineDeps) {
    this.#collectParameters = this.#likeMethod((...args) => args);
    this.#rethrow = this.#likeMethod((_task, error) => {
      throw error;
    });
  }

  /** The handler for an instance; `made` when it lives for one task only. */
  forInstance(instance: Instance, made?: MadeFor): Handler {
    const refused = new WeakSet<object>();
    const call = this.#create(instance, {
      part: 'call',
      callback: this.#callback(instance, { made, refused }),
      options: guardsAndInterceptors,
      made,
    });
    const filter =
      this.deps.filters === 'none'
        ? rethrow
        : this.#create(instance, { part: 'filters', callback: this.#rethrow, options: filtersOnly, made });
    return async (task) => {
      try {
        return await call(task);
      } catch (error) {
        // What the handler decided is no failure that a filter could explain.
        if (isDecision(error)) throw error;
        return await handled(filter(task, error), error).catch((final: unknown) => {
          throw typeof final === 'object' && final !== null && refused.has(final) ? asInvalidPayload(final) : final;
        });
      }
    };
  }

  // What Nest calls when guards and interceptors have agreed.
  #callback(
    instance: Instance,
    context: { readonly made: MadeFor | undefined; readonly refused: WeakSet<object> },
  ): Method {
    const { parameters, method, methodName } = this.deps;
    if (parameters === 'task') return method;
    const read = this.#create(instance, {
      part: 'parameters',
      callback: this.#collectParameters,
      options: pipesOnly,
      made: context.made,
    });
    return this.#likeMethod(async (task) => {
      const values = (await read(task).catch((error: unknown) => {
        if (isPayloadRefusal(error)) context.refused.add(error);
        throw error;
      })) as readonly unknown[];
      return instance[methodName]?.(...values);
    });
  }

  #create(
    instance: Instance,
    request: {
      readonly part: 'call' | 'parameters' | 'filters';
      readonly callback: Method;
      readonly options: typeof pipesOnly;
      readonly made: MadeFor | undefined;
    },
  ): (...args: unknown[]) => Promise<unknown> {
    const { external, methodName, keys } = this.deps;
    const { part, callback, options, made } = request;
    const readsParameters = part === 'parameters';
    return external.create(
      instance,
      callback,
      // Nest remembers a method's parameters under this name; only the part that reads them may use the real one.
      readsParameters ? methodName : `${methodName} (${part})`,
      readsParameters ? keys.parameters : undefined,
      readsParameters ? { exchangeKeyForValue: readPayload } : undefined,
      made?.contextId,
      made?.inquirerId,
      options,
      asynqContextType,
    );
  }

  // Guards and interceptors read the metadata of the function that Nest calls, and may show its name.
  #likeMethod(callback: Method): Method {
    const { method } = this.deps;
    for (const key of Reflect.getMetadataKeys(method)) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, method), callback);
    }
    Object.defineProperty(callback, 'name', { value: method.name });
    return callback;
  }
}

// `@TaskPayload()` is the one parameter decorator that is not a custom one to Nest.
function readPayload(_kind: number, field: unknown, args: readonly [Task]): unknown {
  const { payload } = args[0];
  if (typeof field !== 'string') return payload;
  return (payload as Readonly<Record<string, unknown>> | null | undefined)?.[field];
}

function isDecision(error: unknown): boolean {
  return error instanceof SkipRetryError || error instanceof RevokeTaskError || error instanceof SnoozeError;
}

// A filter that answers nothing, at once or later, leaves the failure as it was.
async function handled(answer: Promise<unknown>, error: unknown): Promise<unknown> {
  const result = await answer;
  if (result === undefined) throw error;
  return result;
}

async function rethrow(_task: unknown, error: unknown): Promise<never> {
  throw error;
}
