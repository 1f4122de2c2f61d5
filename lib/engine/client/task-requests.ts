import type { EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import { showValue } from '../../model/errors/option-errors.js';
import { InvalidTaskError } from '../../model/errors/task-errors.js';
import { defaultQueue } from '../../model/queue/queue-name.js';
import type { PayloadCodec } from '../../model/task/payload.codec.js';
import { validate } from '../../model/task/standard-schema.js';
import { checkTaskType, type TaskDefinition } from '../../model/task/task-definition.js';
import {
  type EnqueueOptions,
  layTaskOptions,
  noOptions,
  overlayTaskOptions,
  type TaskOptions,
} from '../../model/task/task-options.js';
import type { Clock } from '../../model/time/clock.js';
import { requestFor } from './new-task.js';

/** One task for {@link AsynqClient.enqueueMany}: what `enqueue` takes, as a tuple. */
export type EnqueueItem<P = unknown> =
  | readonly [type: string, payload?: unknown, options?: EnqueueOptions]
  | readonly [definition: TaskDefinition<P>, ...arguments: EnqueueArguments<P>];

/** What follows a task definition; the payload may be left out only where `undefined` is one. */
export type EnqueueArguments<P> = undefined extends P
  ? readonly [payload?: NoInfer<P>, options?: EnqueueOptions]
  : readonly [payload: NoInfer<P>, options?: EnqueueOptions];

export interface TaskRequestsDeps {
  /** Turns payloads into bytes. */
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  /** Options of every task. */
  readonly defaults: TaskOptions;
}

/** Turns what a caller writes of a task, or its definition, into a request that is complete and checked. */
export class TaskRequests {
  /** A definition's options over the defaults. */
  readonly #layers = new WeakMap<TaskDefinition, TaskOptions>();

  constructor(private readonly deps: TaskRequestsDeps) {}

  /**
   * The request for one task; a promise only where a schema validates asynchronously.
   *
   * @throws InvalidTaskError, InvalidOptionError when the task cannot be enqueued as given.
   */
  of(
    task: string | TaskDefinition,
    payload: unknown,
    options: EnqueueOptions | undefined,
  ): EnqueueRequest | Promise<EnqueueRequest> {
    if (typeof task === 'string') {
      const layer = { path: 'enqueue: options', under: this.deps.defaults };
      return this.#complete(checkTaskType(task), payload, layTaskOptions(options, layer));
    }
    const { type, schema } = checkDefinition(task);
    const laid = layTaskOptions(options, { path: 'enqueue: options', under: this.#layerOf(task) });
    if (schema === undefined) return this.#complete(type, payload, laid);
    const validated = tryValidate(() => validate(schema, payload), type);
    return validated instanceof Promise
      ? validated.then((output) => this.#complete(type, output, laid))
      : this.#complete(type, validated, laid);
  }

  /** The queue that a task goes to when a call does not name one. */
  queueOf(definition: TaskDefinition | undefined): string {
    const { queue = defaultQueue } =
      definition === undefined ? this.deps.defaults : this.#layerOf(checkDefinition(definition));
    return queue;
  }

  #complete(type: string, payload: unknown, options: TaskOptions): EnqueueRequest {
    const { codec, clock } = this.deps;
    return requestFor({ type, payload, options }, { codec, now: clock.now() });
  }

  #layerOf(definition: TaskDefinition): TaskOptions {
    const { defaults } = this.deps;
    if (defaults === noOptions) return definition.options;
    let layer = this.#layers.get(definition);
    if (layer === undefined) this.#layers.set(definition, (layer = overlayTaskOptions(defaults, definition.options)));
    return layer;
  }
}

function checkDefinition(task: TaskDefinition): TaskDefinition {
  const given: unknown = task;
  if (typeof given === 'object' && given !== null && 'type' in given && 'options' in given) return task;
  throw new InvalidTaskError(`A task is named by its type or by what defineTask made, got ${showValue(task)}`);
}

/** Whatever a schema throws, or rejects with, is the task's fault and names the task. */
function tryValidate(run: () => unknown, type: string): unknown {
  const refuseTask = (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidTaskError(`Task "${type}" cannot be enqueued: ${reason}`, { cause: error });
  };
  try {
    const validated = run();
    return validated instanceof Promise ? validated.catch(refuseTask) : validated;
  } catch (error) {
    return refuseTask(error);
  }
}
