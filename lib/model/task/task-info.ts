import { inspect, type InspectOptionsStylized } from 'node:util';
import { fromEpochSeconds, fromSeconds } from '../time/duration.js';
import { bufferOf, decodePayload, type PayloadCodec } from './payload.codec.js';
import { inspectAs, showDecoded, showHeaders } from './show-task.js';
import type { Headers, TaskMessage } from './task-message.js';
import type { TaskState } from './task-state.js';

/**
 * What `enqueue` returns and the inspector lists: a snapshot that does not change (C-38). It prints and serializes with
 * its payload decoded.
 */
export interface TaskInfo {
  readonly id: string;
  readonly queue: string;
  readonly type: string;
  /**
   * The payload as handlers receive it, decoded when it is read. @throws InvalidPayloadError when the bytes do not
   * decode.
   */
  readonly payload: unknown;
  /** The payload as it is stored, byte for byte; empty when there is none. */
  readonly rawPayload: Buffer;
  readonly headers: Headers | undefined;
  readonly state: TaskState;
  /** Retries allowed after the first run. */
  readonly maxRetry: number;
  /** Counted failures so far. */
  readonly retried: number;
  /** Text of the last error, if there was one. */
  readonly lastError: string | undefined;
  readonly lastFailedAt: Date | undefined;
  /** Limit of one run in milliseconds (whole seconds on the wire); `undefined` means none. */
  readonly timeout: number | undefined;
  readonly deadline: Date | undefined;
  readonly group: string | undefined;
  /** When it runs next: now for a pending task; `undefined` if its state has no such time. */
  readonly nextProcessAt: Date | undefined;
  /** How long it is kept after success, in milliseconds (whole seconds on the wire); 0 means not at all. */
  readonly retention: number;
  readonly completedAt: Date | undefined;
  /** What the handler stored, if anything, decoded when it is read. @throws InvalidPayloadError when it does not decode. */
  readonly result: unknown;
  /** The result as it is stored, byte for byte. */
  readonly rawResult: Buffer | undefined;
}

/** A task as stored, or as just written. */
export interface TaskRecord {
  readonly message: TaskMessage;
  readonly state: TaskState;
  readonly nextProcessAt: Date | undefined;
  readonly result: Uint8Array | undefined;
  readonly codec: PayloadCodec;
}

/** A {@link TaskInfo} of a record. One is created for every enqueued task, so it decodes nothing before it is read. */
export class RecordedTaskInfo implements TaskInfo {
  readonly id: string;
  readonly queue: string;
  readonly type: string;
  readonly headers: Headers | undefined;
  readonly state: TaskState;
  readonly maxRetry: number;
  readonly retried: number;
  readonly lastError: string | undefined;
  readonly lastFailedAt: Date | undefined;
  readonly timeout: number | undefined;
  readonly deadline: Date | undefined;
  readonly group: string | undefined;
  readonly nextProcessAt: Date | undefined;
  readonly retention: number;
  readonly completedAt: Date | undefined;
  readonly #payload: Uint8Array;
  readonly #result: Uint8Array | undefined;
  readonly #codec: PayloadCodec;

  constructor({ message, state, nextProcessAt, result, codec }: TaskRecord) {
    this.id = message.id;
    this.queue = message.queue;
    this.type = message.type;
    this.headers = message.headers;
    this.state = state;
    this.maxRetry = message.maxRetry;
    this.retried = message.retried;
    this.lastError = textOf(message.errorMessage);
    this.lastFailedAt = dateOf(message.lastFailedAtSeconds);
    this.timeout = message.timeoutSeconds === 0 ? undefined : fromSeconds(message.timeoutSeconds);
    this.deadline = dateOf(message.deadlineSeconds);
    this.group = textOf(message.group);
    this.nextProcessAt = nextProcessAt;
    this.retention = fromSeconds(message.retentionSeconds);
    this.completedAt = dateOf(message.completedAtSeconds);
    this.#payload = message.payload;
    this.#result = result;
    this.#codec = codec;
  }

  get payload(): unknown {
    return decodePayload(this.#payload, this.#codec);
  }

  get rawPayload(): Buffer {
    return bufferOf(this.#payload);
  }

  get result(): unknown {
    return this.#result === undefined ? undefined : decodePayload(this.#result, this.#codec, 'result');
  }

  get rawResult(): Buffer | undefined {
    return this.#result === undefined ? undefined : bufferOf(this.#result);
  }

  toJSON(): object {
    const { id, queue, type, headers, ...rest } = this;
    const payload = showDecoded(this.#payload, this.#codec);
    const result = this.#result === undefined ? undefined : showDecoded(this.#result, this.#codec);
    return { id, queue, type, payload, headers: showHeaders(headers), ...rest, result };
  }

  [inspect.custom](depth: number | null, options: InspectOptionsStylized): string {
    return inspectAs('TaskInfo', this.toJSON(), { depth, options });
  }
}

function textOf(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function dateOf(seconds: number): Date | undefined {
  return seconds === 0 ? undefined : new Date(fromEpochSeconds(seconds));
}
