import { Body, createParamDecorator, type PipeTransform, type Type } from '@nestjs/common';
import type { Task } from '../../engine/server/handler-task.js';
import { taskOf } from '../execution/execution-context.js';

type Pipe = PipeTransform | Type<PipeTransform>;

/**
 * Passes the payload, or one field of it, to a parameter of a handler, through its pipes: with a `ValidationPipe` the
 * parameter's class says what is valid. A payload that a pipe refuses archives the task at once, since no retry can
 * change it.
 *
 * @example
 * @TaskHandler('email:send')
 * @UsePipes(new ValidationPipe({ whitelist: true }))
 * async send(@TaskPayload() mail: SendEmailDto, @CurrentTask() task: Task) {}
 *
 * @example
 * async send(@TaskPayload('userId', ParseIntPipe) userId: number) {}
 */
export function TaskPayload(...pipes: readonly Pipe[]): ParameterDecorator;
export function TaskPayload(field: string, ...pipes: readonly Pipe[]): ParameterDecorator;
export function TaskPayload(...given: readonly (string | Pipe)[]): ParameterDecorator {
  // Pipes tell parameters apart by kind, and ValidationPipe checks only the kinds that Nest knows: a payload is a body.
  return (Body as (...given: readonly (string | Pipe)[]) => ParameterDecorator)(...given);
}

/**
 * Passes the task itself to a parameter. Needed only beside other parameter decorators: a handler without any is
 * given the task as its one argument.
 */
export const CurrentTask: (...pipes: readonly Pipe[]) => ParameterDecorator = createParamDecorator(
  (_data: unknown, context): Task => taskOf(context),
);

/** Passes the task's headers, or the one with that name (`undefined` when there is none), to a parameter. */
export const TaskHeaders: (name?: string, ...pipes: readonly Pipe[]) => ParameterDecorator = createParamDecorator(
  (name: string | undefined, context) => (name === undefined ? taskOf(context).headers : taskOf(context).headers[name]),
);

/** Passes the task's abort signal to a parameter: it fires at the timeout, the deadline, a cancel or a shutdown. */
export const TaskSignal: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context): AbortSignal => taskOf(context).signal,
);
