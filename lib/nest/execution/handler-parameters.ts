import { Body, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import type { Task } from '../../engine/server/handler-task.js';
import { InternalError } from '../../model/errors/asynq-error.js';
import { isThenable } from '../../model/options/user-callback.js';

/** The metadata that a parameter decorator added to a method. */
interface ParameterMetadata {
  readonly index: number;
  readonly data: unknown;
  readonly pipes: readonly unknown[];
  /** Set by `createParamDecorator`; `@TaskPayload()` is the only decorator here without one. */
  readonly factory?: (data: unknown, context: ExecutionContext) => unknown;
  readonly schema?: unknown;
}

type PipeMetadata = Parameters<PipeTransform['transform']>[1];

interface Parameter {
  readonly index: number;
  readonly valueOf: (task: Task, context: ExecutionContext) => unknown;
  readonly pipes: readonly PipeTransform[];
  readonly metadata: PipeMetadata;
}

/** A class and the name of one of its methods. */
export interface MethodName {
  readonly type: Type<unknown>;
  readonly method: string | symbol;
}

/** Returns the indexes of a method's decorated parameters. */
export function decoratedParametersOf(method: MethodName): readonly number[] {
  return metadataOf(method).map(({ index }) => index);
}

/** The decorated parameters of a handler, and how their values are derived from a task. */
export class HandlerParameters {
  readonly #parameters: readonly Parameter[];
  readonly #count: number;

  /**
   * @param pipes the pipes of the application, the class and the method.
   * @param pipesOf finds the instances of a parameter's own pipes.
   */
  constructor(
    method: MethodName,
    pipes: readonly PipeTransform[],
    pipesOf: (given: readonly unknown[]) => readonly PipeTransform[],
  ) {
    const types = parameterTypesOf(method) ?? [];
    this.#parameters = metadataOf(method).map(({ index, data, factory, pipes: own, schema }) => ({
      index,
      valueOf: factory === undefined ? payloadReader(data) : (_task, context) => factory(data, context),
      pipes: [...pipes, ...pipesOf(own)],
      // Pipes distinguish parameters by kind; a `ValidationPipe` checks a body, but not a custom one by default.
      metadata: {
        type: factory === undefined ? 'body' : 'custom',
        metatype: types[index],
        data,
        schema,
      } as PipeMetadata,
    }));
    this.#count = Math.max(-1, ...this.#parameters.map(({ index }) => index)) + 1;
  }

  /** Returns the arguments for a task, or a promise of them if a pipe is asynchronous. */
  valuesFor(task: Task, context: ExecutionContext): unknown[] | Promise<unknown[]> {
    const values = Array.from<unknown>({ length: this.#count });
    let isLater = false;
    for (const parameter of this.#parameters) {
      const value = piped(parameter, parameter.valueOf(task, context));
      values[parameter.index] = value;
      isLater ||= isThenable(value);
    }
    return isLater ? Promise.all(values) : values;
  }
}

/** Returns the declared types of a method's parameters, if the compiler has emitted them. */
export function parameterTypesOf({ type, method }: MethodName): readonly unknown[] | undefined {
  return Reflect.getMetadata('design:paramtypes', type.prototype as object, method) as readonly unknown[] | undefined;
}

function piped({ pipes, metadata }: Parameter, value: unknown): unknown {
  return pipes.length === 0 ? value : throughPipes(pipes, metadata, value);
}

async function throughPipes(pipes: readonly PipeTransform[], metadata: PipeMetadata, given: unknown): Promise<unknown> {
  let value = isThenable(given) ? await given : given;
  for (const pipe of pipes) {
    const answer: unknown = pipe.transform(value, metadata);
    value = isThenable(answer) ? await answer : answer;
  }
  return value;
}

function payloadReader(field: unknown): Parameter['valueOf'] {
  if (typeof field !== 'string') return ({ payload }) => payload;
  return ({ payload }) => (payload as Readonly<Record<string, unknown>> | null | undefined)?.[field];
}

function metadataOf({ type, method }: MethodName): readonly ParameterMetadata[] {
  const metadata: unknown = Reflect.getMetadata(parametersKey(), type, method);
  return Object.values((metadata ?? {}) as Readonly<Record<string, ParameterMetadata>>);
}

let learnt: string | undefined;

/**
 * The key under which Nest keeps decorated parameters. It is found by decorating one and reading the metadata, because
 * Nest does not export it, and a copied name would fail silently once it changes.
 */
function parametersKey(): string {
  if (learnt !== undefined) return learnt;
  const probe = class {
    method(): void {}
  };
  Body()(probe.prototype, 'method', 0);
  const keys: readonly unknown[] = Reflect.getOwnMetadataKeys(probe, 'method');
  const [key] = keys;
  if (typeof key !== 'string' || keys.length !== 1) {
    throw new InternalError(`Nest keeps parameters under ${keys.length} names; this version of Nest is not supported`);
  }
  return (learnt = key);
}
