import type { ExecutionContext, PipeTransform, Type } from '@nestjs/common';
import type { Task } from '../../engine/server/handler-task.js';
import { isThenable } from '../../model/options/user-callback.js';
import { methodParametersKey } from './nest-metadata.js';

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
    const inOrder = metadataOf(method).toSorted((one, other) => one.index - other.index);
    this.#parameters = inOrder.map(({ index, data, factory, pipes: own, schema }) => ({
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
  }

  /** Returns the arguments for a task, or a promise of them if a pipe is asynchronous or fails. */
  valuesFor(task: Task, context: ExecutionContext): unknown[] | Promise<unknown[]> {
    const values: unknown[] = [];
    let later = 0;
    let lastLater = 0;
    for (const parameter of this.#parameters) {
      const { index } = parameter;
      while (values.length < index) values.push(undefined);
      const value = valueOf(parameter, task, context);
      values.push(value);
      if (!isThenable(value)) continue;
      later += 1;
      lastLater = index;
    }
    if (later === 0) return values;
    return later === 1 ? withAwaited(values, lastLater) : Promise.all(values);
  }
}

/** Returns the declared types of a method's parameters, if the compiler has emitted them. */
export function parameterTypesOf({ type, method }: MethodName): readonly unknown[] | undefined {
  return Reflect.getMetadata('design:paramtypes', type.prototype as object, method) as readonly unknown[] | undefined;
}

// A failure becomes a rejection: thrown, it would leave the rejection of another parameter unhandled.
function valueOf(parameter: Parameter, task: Task, context: ExecutionContext): unknown {
  try {
    return throughPipes(parameter, parameter.valueOf(task, context), 0);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Applies the pipes to a value; returns a promise only if one of them is asynchronous. */
function throughPipes(parameter: Parameter, given: unknown, from: number): unknown {
  const { pipes, metadata } = parameter;
  let value = given;
  for (let at = from; at < pipes.length; at += 1) {
    if (isThenable(value)) return throughPipesLater(parameter, value, at);
    value = (pipes[at] as PipeTransform).transform(value, metadata);
  }
  return value;
}

async function throughPipesLater(parameter: Parameter, given: PromiseLike<unknown>, from: number): Promise<unknown> {
  return throughPipes(parameter, await given, from);
}

async function withAwaited(values: unknown[], index: number): Promise<unknown[]> {
  values[index] = await values[index];
  return values;
}

function payloadReader(field: unknown): Parameter['valueOf'] {
  if (typeof field !== 'string') return ({ payload }) => payload;
  return ({ payload }) => (payload as Readonly<Record<string, unknown>> | null | undefined)?.[field];
}

function metadataOf({ type, method }: MethodName): readonly ParameterMetadata[] {
  const metadata: unknown = Reflect.getMetadata(methodParametersKey(), type, method);
  return Object.values((metadata ?? {}) as Readonly<Record<string, ParameterMetadata>>);
}
