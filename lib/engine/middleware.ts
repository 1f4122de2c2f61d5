import type { Task } from './server/handler-task.js';

/** Runs one task. Its return value is stored as the result if the task has a retention; to fail, it throws. */
export type Handler<P = unknown> = (task: Task<P>) => unknown;

/**
 * Wraps a handler. The first middleware given is the outermost; it also sees tasks that no handler matches (S-125).
 *
 * @example
 * const timed: Middleware = (next) => async (task) => {
 *   const end = timer.start(task.type);
 *   try {
 *     return await next(task);
 *   } finally {
 *     end();
 *   }
 * };
 */
export type Middleware = (next: Handler) => Handler;
