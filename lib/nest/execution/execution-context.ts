import type { ArgumentsHost, ExecutionContext, Type } from '@nestjs/common';
import type { Task } from '../../engine/server/handler-task.js';

/** What `ExecutionContext.getType()` returns inside a task handler. */
const asynqContextType = 'asynq';

/**
 * Returns the task that a guard, interceptor, pipe, filter or parameter decorator is called for.
 *
 * @example
 * canActivate(context: ExecutionContext) {
 *   if (context.getType<string>() !== 'asynq') return this.checkRequest(context);
 *   return taskOf(context).headers['tenant'] !== undefined;
 * }
 */
export function taskOf(context: ArgumentsHost): Task {
  return context.getArgByIndex<Task>(0);
}

/**
 * The context passed to everything around one run of a handler; its only argument is the task. Nest does not export its
 * own class.
 */
export class TaskExecutionContext implements ExecutionContext {
  constructor(
    private readonly task: Task,
    private readonly method: { readonly type: Type<unknown>; readonly callback: (...args: never[]) => unknown },
  ) {}

  // Nest's interface lets the caller choose the types: `never` satisfies each of them.

  getClass(): never {
    return this.method.type as never;
  }

  getHandler(): (...args: never[]) => unknown {
    return this.method.callback;
  }

  getType(): never {
    return asynqContextType as never;
  }

  getArgs(): never {
    return [this.task] as never;
  }

  getArgByIndex(index: number): never {
    return (index === 0 ? this.task : undefined) as never;
  }

  switchToHttp() {
    return { getRequest: this.#giveTask(), getResponse: nothing, getNext: nothing };
  }

  switchToRpc() {
    return { getData: this.#giveTask(), getContext: nothing };
  }

  switchToWs() {
    const getClient = this.#giveTask();
    return { getClient, getData: nothing, getPattern: getClient };
  }

  // Made when it is asked for: a context is made for every task.
  #giveTask(): () => never {
    const { task } = this;
    return () => task as never;
  }
}

function nothing(): never {
  return undefined as never;
}
