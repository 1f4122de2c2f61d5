import { Body, createParamDecorator, type PipeTransform, type Type } from '@nestjs/common';
import type { Task } from '../../engine/server/handler-task.js';
import type { Jsonify } from '../../model/task/jsonify.js';
import { isTaskDefinition, type TaskDefinition } from '../../model/task/task-definition.js';
import { payloadDefinitionsKey } from '../asynq.tokens.js';
import { taskOf } from '../execution/execution-context.js';

type Pipe = PipeTransform | Type<PipeTransform>;

/** The metadata that {@link TaskPayload} adds to a method for a parameter that names a definition. */
export interface PayloadDefinitionMetadata {
  readonly index: number;
  /** Type of the definition. */
  readonly type: string;
}

/** A parameter decorator that rejects, at compile time, a parameter that does not accept payloads of `P`. */
export type TaskPayloadDecorator<P> = <T extends object, Method extends string | symbol, Index extends number>(
  target: T,
  method: Method,
  index: Index & PayloadMismatch<P, ParameterOf<T, Method, Index>>,
) => void;

// The compiler does not show private members to decorators.
type ParameterOf<T, Method, Index extends number> = Method extends keyof T
  ? T[Method] extends (...args: infer Parameters) => unknown
    ? Parameters[Index]
    : unknown
  : unknown;

// A class with a Date, which a pipe creates from the string that arrives, is accepted as well.
type PayloadMismatch<P, Parameter> = [P] extends [Parameter]
  ? unknown
  : [P] extends [Jsonify<Parameter>]
    ? unknown
    : unknown extends P
      ? unknown
      : { readonly 'the payload of the task definition does not fit the parameter': P };

/**
 * Passes the payload, or one field of it, to a parameter of a handler, through its pipes: with a `ValidationPipe` the
 * parameter's class defines what is valid. A payload that a pipe refuses archives the task at once, since a retry would
 * not change it.
 *
 * With the definition of the task, the compiler checks the type of the parameter, unless it has its own pipes, which
 * may turn the payload into anything.
 *
 * @example
 * @TaskHandler('email:send')
 * @UsePipes(new ValidationPipe({ whitelist: true }))
 * async send(@TaskPayload() mail: SendEmailDto, @CurrentTask() task: Task) {}
 *
 * @example
 * async send(@TaskPayload('userId', ParseIntPipe) userId: number) {}
 *
 * @example
 * @TaskHandler(SendEmail)
 * async send(@TaskPayload(SendEmail) mail: SendEmailDto) {}
 */
export function TaskPayload(...pipes: readonly Pipe[]): ParameterDecorator;
export function TaskPayload(field: string, ...pipes: readonly Pipe[]): ParameterDecorator;
export function TaskPayload<P>(definition: TaskDefinition<unknown, P>): TaskPayloadDecorator<P>;
export function TaskPayload<P, Field extends keyof P & string>(
  definition: TaskDefinition<unknown, P>,
  field: Field,
): TaskPayloadDecorator<P[Field]>;
export function TaskPayload(definition: TaskDefinition, ...pipes: readonly Pipe[]): ParameterDecorator;
export function TaskPayload<P>(
  definition: TaskDefinition<unknown, P>,
  field: keyof P & string,
  ...pipes: readonly Pipe[]
): ParameterDecorator;
export function TaskPayload(
  ...given: readonly (TaskDefinition | string | Pipe)[]
): ParameterDecorator & TaskPayloadDecorator<unknown> {
  const [definition, ...rest] = given;
  if (!isTaskDefinition(definition)) return body(given as readonly (string | Pipe)[]);
  const decorate = body(rest as readonly (string | Pipe)[]);
  return (target: object, method: string | symbol | undefined, index: number): void => {
    const entry: PayloadDefinitionMetadata = { index, type: definition.type };
    const known: unknown = Reflect.getOwnMetadata(payloadDefinitionsKey, target, method as string);
    const entries = [...((known as readonly unknown[] | undefined) ?? []), entry];
    Reflect.defineMetadata(payloadDefinitionsKey, entries, target, method as string);
    decorate(target, method, index);
  };
}

// Pipes distinguish parameters by kind, and ValidationPipe checks only the kinds Nest knows, so a payload is a body.
function body(given: readonly (string | Pipe)[]): ParameterDecorator {
  return (Body as (...given: readonly (string | Pipe)[]) => ParameterDecorator)(...given);
}

/**
 * Passes the task itself to a parameter. It is needed only alongside other parameter decorators: a handler without any
 * receives the task as its only argument.
 */
export const CurrentTask: (...pipes: readonly Pipe[]) => ParameterDecorator = createParamDecorator(
  (_data: unknown, context): Task => taskOf(context),
);

/** Passes the task's headers, or the header with the given name (`undefined` if there is none), to a parameter. */
export const TaskHeaders: (name?: string, ...pipes: readonly Pipe[]) => ParameterDecorator = createParamDecorator(
  (name: string | undefined, context) => (name === undefined ? taskOf(context).headers : taskOf(context).headers[name]),
);

/**
 * Passes the task's abort signal to a parameter: it aborts at the timeout, the deadline, a cancellation or a shutdown.
 */
export const TaskSignal: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context): AbortSignal => taskOf(context).signal,
);
