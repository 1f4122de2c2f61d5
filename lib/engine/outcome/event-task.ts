import { bufferOf, decodePayload, type PayloadCodec } from '../../model/task/payload.codec.js';
import { type Headers, headersOf, type TaskMessage } from '../../model/task/task-message.js';
import type { TaskSubject } from '../engine-events.js';

/** A task as known to this process; a run is one. */
export interface KnownTask {
  readonly message: TaskMessage;
  /** The queue it was fetched from, whatever the message says. */
  readonly queue: string;
  readonly codec: PayloadCodec;
}

/** Returns a task as events show it; `retried` includes the failure that led to the event. */
export function subjectOf(task: KnownTask): TaskSubject {
  return new EventTask(task);
}

/** Larger properties are computed when they are read. */
class EventTask implements TaskSubject {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly retried: number;
  readonly maxRetry: number;
  readonly #message: TaskMessage;
  readonly #codec: PayloadCodec;

  constructor({ message, queue, codec }: KnownTask) {
    this.id = message.id;
    this.type = message.type;
    this.queue = queue;
    this.retried = message.retried;
    this.maxRetry = message.maxRetry;
    this.#message = message;
    this.#codec = codec;
  }

  get payload(): unknown {
    return decodePayload(this.#message.payload, this.#codec);
  }

  get rawPayload(): Buffer {
    return bufferOf(this.#message.payload);
  }

  get headers(): Headers {
    return headersOf(this.#message);
  }
}
