import type { EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import { showValue } from '../../model/errors/option-errors.js';
import { InvalidTaskError } from '../../model/errors/task-errors.js';
import { defaultQueue } from '../../model/queue/queue-name.js';
import { decodePayload, type PayloadCodec } from '../../model/task/payload.codec.js';
import { type StandardSchemaV1, validate } from '../../model/task/standard-schema.js';
import {
  checkTaskType,
  isTaskDefinition,
  type TaskArguments,
  type TaskDefinition,
} from '../../model/task/task-definition.js';
import {
  type EnqueueOptions,
  layTaskOptions,
  noOptions,
  overlayTaskOptions,
  type TaskOptions,
} from '../../model/task/task-options.js';
import type { Clock } from '../../model/time/clock.js';
import { requestFor } from './new-task.js';

/** The arguments after the task in `enqueue`: its payload and options. */
export type EnqueueArguments<Task> = TaskArguments<Task, EnqueueOptions>;

/** One task for {@link AsynqClient.enqueueMany}: the arguments of `enqueue` as a tuple. */
export type EnqueueItem<Task extends string | TaskDefinition = string | TaskDefinition> = Task extends unknown
  ? readonly [task: Task, ...arguments: EnqueueArguments<Task>]
  : never;

export interface TaskRequestsDeps {
  /** Turns payloads into bytes. */
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  /** Options of every task. */
  readonly defaults: TaskOptions;
}

/** Turns a caller's task, or its definition, into a complete and checked request. */
export class TaskRequests {
  /** Options of definitions, merged over the defaults. */
  readonly #layers = new WeakMap<TaskDefinition, TaskOptions>();

  constructor(private readonly deps: TaskRequestsDeps) {}

  /**
   * Returns the request for one task; a promise only if a schema validates asynchronously.
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
    const request = this.#complete(type, payload, laid);
    if (schema === undefined) return request;
    const checked = this.#check(request, { schema, given: payload });
    return checked instanceof Promise ? checked.then(() => request) : request;
  }

  /** Returns the queue that a task goes to when a call does not name one. */
  queueOf(definition: TaskDefinition | undefined): string {
    const { queue = defaultQueue } =
      definition === undefined ? this.deps.defaults : this.#layerOf(checkDefinition(definition));
    return queue;
  }

  #complete(type: string, payload: unknown, options: TaskOptions): EnqueueRequest {
    const { codec, clock } = this.deps;
    return requestFor({ type, payload, options }, { codec, now: clock.now() });
  }

  /**
   * Checks the payload with the schema as a handler would receive it; the schema's output is computed on the handler's
   * side.
   */
  #check(
    { message }: EnqueueRequest,
    { schema, given }: { readonly schema: StandardSchemaV1; readonly given: unknown },
  ): unknown {
    const refuseTask = (error: unknown): never => {
      const reason = error instanceof Error ? error.message : String(error);
      const hint = matches(schema, given) ? '; the given value does match, but not after encoding and decoding' : '';
      throw new InvalidTaskError(`Task "${message.type}" cannot be enqueued: ${reason}${hint}`, { cause: error });
    };
    try {
      const checked = validate(schema, decodePayload(message.payload, this.deps.codec));
      return checked instanceof Promise ? checked.catch(refuseTask) : checked;
    } catch (error) {
      return refuseTask(error);
    }
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
  if (isTaskDefinition(task)) return task;
  throw new InvalidTaskError(`A task must be a type or a definition from defineTask, got ${showValue(task)}`);
}

/** Whether a schema accepts a value; `false` if it validates asynchronously. */
function matches(schema: StandardSchemaV1, value: unknown): boolean {
  try {
    const checked = validate(schema, value);
    if (!(checked instanceof Promise)) return true;
    checked.catch(() => {});
  } catch {
    // It does not accept it.
  }
  return false;
}
