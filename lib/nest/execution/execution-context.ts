import type { ArgumentsHost } from '@nestjs/common';
import type { Task } from '../../engine/server/handler-task.js';

/** What `ExecutionContext.getType()` answers inside a task handler. */
export const asynqContextType = 'asynq';

/**
 * The task that a guard, interceptor, pipe, filter or parameter decorator is called for.
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
