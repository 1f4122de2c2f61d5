import { inspect, type InspectOptionsStylized } from 'node:util';
import { bufferOf, decodePayload, type PayloadCodec } from '../../model/task/payload.codec.js';
import { inspectAs, showDecoded, showHeaders } from '../../model/task/show-task.js';
import { type Headers, headersOf, type TaskMessage } from '../../model/task/task-message.js';
import type { EnqueueOptions } from '../../model/task/task-options.js';
import type { EnqueueItem } from '../client/task-requests.js';

/** Tasks of one group that will become one task. */
export interface TaskGroup<P = unknown> {
  readonly queue: string;
  /** The option `group` of the tasks. */
  readonly name: string;
  /** Oldest first, by the second in which each joined the group. */
  readonly tasks: readonly AggregatedTask<P>[];
  /**
   * Aborts when a result no longer counts: the tasks' two minutes are over (DeadlineExceededError), or the server shuts
   * down (TaskAbortedError). The tasks are then back in their group.
   */
  readonly signal: AbortSignal;
}

/** The combined task of a group: the arguments of {@link AsynqClient.enqueue}, as a tuple or by name. */
export type TaskToEnqueue =
  EnqueueItem | { readonly type: string; readonly payload?: unknown; readonly options?: EnqueueOptions };

/**
 * Turns the tasks of a group into one task, which goes to the group's queue. To keep them in their group, it throws:
 * they are aggregated again after two minutes, so it may see a task more than once (P-100).
 *
 * @example
 * const digest: GroupAggregator = ({ name, tasks }) => ['email:digest', { user: name, lines: tasks.map((task) => task.payload) }];
 */
export type GroupAggregator<P = unknown> = {
  // Method parameters are compared bivariantly, so a function for groups of one payload type is an aggregator, too.
  aggregate(group: TaskGroup<P>): TaskToEnqueue | Promise<TaskToEnqueue>;
}['aggregate'];

/** One task of a group. Its payload is decoded when it is read; it prints and serializes with its payload decoded. */
export class AggregatedTask<P = unknown> {
  readonly #message: TaskMessage;
  readonly #codec: PayloadCodec;

  constructor(message: TaskMessage, codec: PayloadCodec) {
    this.#message = message;
    this.#codec = codec;
  }

  get id(): string {
    return this.#message.id;
  }

  get type(): string {
    return this.#message.type;
  }

  /** The payload; JSON unless the server has another codec. @throws InvalidPayloadError when it does not decode. */
  get payload(): P {
    return decodePayload(this.#message.payload, this.#codec) as P;
  }

  /** The payload as it was enqueued, byte for byte; empty when there is none. */
  get rawPayload(): Buffer {
    return bufferOf(this.#message.payload);
  }

  /** The caller's metadata; empty when there is none. */
  get headers(): Headers {
    return headersOf(this.#message);
  }

  toJSON(): object {
    const { id, type } = this;
    const { payload, headers } = this.#message;
    return { id, type, payload: showDecoded(payload, this.#codec), headers: showHeaders(headers) };
  }

  [inspect.custom](depth: number | null, options: InspectOptionsStylized): string {
    return inspectAs('AggregatedTask', this.toJSON(), { depth, options });
  }
}
