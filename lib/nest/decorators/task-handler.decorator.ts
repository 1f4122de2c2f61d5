import type { Middleware } from '../../engine/middleware.js';
import type { Task } from '../../engine/server/handler-task.js';
import type { PatternMatch } from '../../model/task/task-pattern.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import { taskHandlerKey } from '../asynq.tokens.js';
import type { ConfigurableOptions } from './configurable.js';
import { decorateMethod } from './decorate-method.js';

/** Options of {@link TaskHandler}. */
export interface TaskHandlerOptions {
  /** Name of the module instance whose server runs the handler. Default: the one registered without a name. */
  readonly instance?: string | undefined;
  /** Whether the handler is registered at all. Default true. */
  readonly enabled?: boolean | undefined;
  /** Wraps only this handler, inside the middleware of the module; the first is the outermost. Default: none. */
  readonly middleware?: readonly Middleware[] | undefined;
  /**
   * `'exact'` matches only that type, `'prefix'` every type that starts with the pattern. Default: a string that ends
   * in `:` is a prefix; any other string, and every task definition, is exact.
   */
  readonly match?: PatternMatch | undefined;
}

/** The metadata that {@link TaskHandler} adds to a method. */
export interface TaskHandlerMetadata {
  readonly pattern: string | TaskDefinition;
  readonly options: ConfigurableOptions<TaskHandlerOptions>;
}

/** A method decorator that rejects, at compile time, a `Task<Q>` parameter that does not accept payloads of `P`. */
export type TaskHandlerDecorator<P> = <M extends (...args: never[]) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & PayloadMismatch<P, Parameters<M>[0]>,
) => void;

type PayloadMismatch<P, First> = unknown extends P
  ? unknown
  : First extends Task<infer Q>
    ? [P] extends [Q]
      ? unknown
      : { readonly 'the payload of the task definition does not fit the parameter': P }
    : unknown;

/**
 * Makes a method of a provider or controller the handler of a task type or a task definition or, with a string that
 * ends in `:` or with `match: 'prefix'`, of every type that starts with it. It may be used several times on one method.
 * What the method returns is stored as the task's result when the task has a retention; to fail, it throws.
 *
 * Pipes, guards, interceptors and filters work as on a controller's method. A request-scoped or transient provider is
 * created for every task, and `REQUEST` then injects the {@link Task}.
 *
 * @example
 * @Injectable()
 * export class EmailTasks {
 *   constructor(private readonly mailer: Mailer) {}
 *
 *   @TaskHandler('email:send')
 *   async send(task: Task<{ userId: number }>) {
 *     await this.mailer.welcome(task.payload.userId, { signal: task.signal });
 *   }
 *
 *   @TaskHandler('invoice:', { instance: 'billing' })
 *   async invoice(@TaskPayload() invoice: InvoiceDto) {}
 * }
 */
export function TaskHandler(
  pattern: string,
  options?: ConfigurableOptions<TaskHandlerOptions>,
): TaskHandlerDecorator<unknown>;
export function TaskHandler<P>(
  definition: TaskDefinition<unknown, P>,
  options?: ConfigurableOptions<TaskHandlerOptions>,
): TaskHandlerDecorator<P>;
export function TaskHandler(
  pattern: string | TaskDefinition,
  options: ConfigurableOptions<TaskHandlerOptions> = {},
): TaskHandlerDecorator<unknown> {
  return (target, method, descriptor) => {
    const metadata: TaskHandlerMetadata = { pattern, options };
    decorateMethod({ decorator: '@TaskHandler', target, method, descriptor }, { key: taskHandlerKey, metadata });
  };
}
