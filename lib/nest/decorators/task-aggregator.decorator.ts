import type { GroupPattern } from '../../engine/maintenance/group-mux.js';
import type { TaskGroup, TaskToEnqueue } from '../../engine/maintenance/task-group.js';
import { taskAggregatorKey } from '../asynq.tokens.js';
import type { ConfigurableOptions } from './configurable.js';
import { decorateMethod } from './decorate-method.js';

/** Options of {@link TaskAggregator}. */
export interface TaskAggregatorOptions {
  /** Name of the module instance whose server aggregates. Default: the one registered without a name. */
  readonly instance?: string | undefined;
  /** Whether the aggregator is registered at all. Default true. */
  readonly enabled?: boolean | undefined;
}

/** The metadata that {@link TaskAggregator} adds to a method. */
export interface TaskAggregatorMetadata {
  readonly pattern: string | GroupPattern;
  readonly options: ConfigurableOptions<TaskAggregatorOptions>;
}

/** A method decorator for methods that turn a group into a task. */
export type TaskAggregatorDecorator = <M extends (group: TaskGroup<never>) => TaskToEnqueue | Promise<TaskToEnqueue>>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/**
 * Makes a method of a provider the aggregator of a group, of every group with a name prefix, or of the groups of a
 * queue. It receives the tasks of a group that is full or old enough and returns the one task that replaces them, which
 * goes to the group's queue. To keep the tasks in their group, it throws. It may be used several times on one method.
 *
 * A request-scoped or transient provider is created for every call, and `REQUEST` then injects the {@link TaskGroup}.
 * Guards, pipes, interceptors and filters do not apply (S-117).
 *
 * @example
 * @TaskAggregator('notification:')
 * digest({ name, tasks }: TaskGroup<{ text: string }>) {
 *   return ['email:digest', { user: name.slice('notification:'.length), lines: tasks.map((task) => task.payload.text) }] as const;
 * }
 */
export function TaskAggregator(
  pattern: string | GroupPattern,
  options: ConfigurableOptions<TaskAggregatorOptions> = {},
): TaskAggregatorDecorator {
  return (target, method, descriptor) => {
    const metadata: TaskAggregatorMetadata = { pattern, options };
    decorateMethod({ decorator: '@TaskAggregator', target, method, descriptor }, { key: taskAggregatorKey, metadata });
  };
}
