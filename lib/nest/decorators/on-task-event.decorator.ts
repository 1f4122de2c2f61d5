import type { TaskEventName, TaskEvents } from '../../engine/engine-events.js';
import { taskEventKey } from '../asynq.tokens.js';
import type { ConfigurableOptions } from './configurable.js';
import { decorateMethod } from './decorate-method.js';

/** Options of {@link OnTaskEvent}. */
export interface OnTaskEventOptions {
  /** Name of the module instance to listen to. Default: the one registered without a name. */
  readonly instance?: string | undefined;
  /** Whether the method is called at all. Default true. */
  readonly enabled?: boolean | undefined;
}

/** The metadata that {@link OnTaskEvent} adds to a method. */
export interface TaskEventMetadata {
  readonly event: TaskEventName;
  readonly options: ConfigurableOptions<OnTaskEventOptions>;
}

/** A method decorator for methods that take the event. */
export type OnTaskEventDecorator<E> = <M extends (event: E) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/**
 * Calls a method of a provider with what this process's server did with a task, including dead workers' tasks that its
 * recoverer found. The method does not hold up the work and cannot change it: errors it throws are logged.
 *
 * @example
 * @OnTaskEvent('archived')
 * async alert({ task, error }: TaskEvents['archived']) {
 *   await this.pager.page(`${task.type} ${task.id} failed for good`, error);
 * }
 */
export function OnTaskEvent<N extends TaskEventName>(
  event: N,
  options: ConfigurableOptions<OnTaskEventOptions> = {},
): OnTaskEventDecorator<TaskEvents[N]> {
  return (target, method, descriptor) => {
    const metadata: TaskEventMetadata = { event, options };
    decorateMethod({ decorator: '@OnTaskEvent', target, method, descriptor }, { key: taskEventKey, metadata });
  };
}
