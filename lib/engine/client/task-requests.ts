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

/** What follows a task in `enqueue`: its payload and options. */
export type EnqueueArguments<Task> = TaskArguments<Task, EnqueueOptions>;

/** One task for {@link AsynqClient.enqueueMany}: what `enqueue` takes, as a tuple. */
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
    const request = this.#complete(type, payload, laid);
    if (schema === undefined) return request;
    const checked = this.#check(request, { schema, given: payload });
    return checked instanceof Promise ? checked.then(() => request) : request;
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

  /** Gives the schema what a handler would be given; what it makes of it is made by the handler's side. */
  #check(
    { message }: EnqueueRequest,
    { schema, given }: { readonly schema: StandardSchemaV1; readonly given: unknown },
  ): unknown {
    const refuseTask = (error: unknown): never => {
      const reason = error instanceof Error ? error.message : String(error);
      const hint = matches(schema, given) ? '; what was given does, but not what the codec makes of it' : '';
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
  throw new InvalidTaskError(`A task is named by its type or by what defineTask made, got ${showValue(task)}`);
}

/** Whether a schema takes a value; `false` where it takes its time to say so. */
function matches(schema: StandardSchemaV1, value: unknown): boolean {
  try {
    const checked = validate(schema, value);
    if (!(checked instanceof Promise)) return true;
    checked.catch(() => {});
  } catch {
    // It does not.
  }
  return false;
}
