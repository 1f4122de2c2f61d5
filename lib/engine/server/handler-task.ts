import { inspect, type InspectOptionsStylized } from 'node:util';
import { bufferOf, decodePayload, encodePayload, type PayloadCodec } from '../../model/task/payload.codec.js';
import { inspectAs, showDecoded, showHeaders, showValueOf } from '../../model/task/show-task.js';
import { type Headers, headersOf, type TaskMessage } from '../../model/task/task-message.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import { type EpochMs, epochMs } from '../../model/time/duration.js';

/** What a {@link Task} needs from its run. */
export interface RunHandle {
  readonly message: TaskMessage;
  readonly codec: PayloadCodec;
  /** Returns the abort signal, which is created at the first call. */
  abortSignal(): AbortSignal;
  /** Stores a result during the run. */
  storeResult(result: Uint8Array): Promise<void>;
}

/**
 * The task that a handler receives: one run of one task. Its values are those at the start of the run; nothing is
 * decoded or created before it is read. It prints and serializes with its payload decoded.
 *
 * @example
 * mux.handle('email:send', async (task: Task<{ userId: number }>) => {
 *   await mailer.welcome(task.payload.userId, { signal: task.signal });
 * });
 */
export class Task<P = unknown> {
  readonly #run: RunHandle;
  readonly #deadlineAt: EpochMs;
  #payload: P | undefined;
  #decoded = false;

  /** @param deadlineAt when the run must have ended. */
  constructor(run: RunHandle, deadlineAt: EpochMs) {
    this.#run = run;
    this.#deadlineAt = deadlineAt;
  }

  /** The type of the task. */
  get type(): string {
    return this.#run.message.type;
  }

  /**
   * The payload, decoded at the first read; JSON unless the server has another codec.
   *
   * @throws InvalidPayloadError when the bytes do not decode. If a handler does not catch it, the task is archived at
   * once, because a retry would not help.
   */
  get payload(): P {
    if (!this.#decoded) {
      this.#payload = decodePayload(this.#run.message.payload, this.#run.codec) as P;
      this.#decoded = true;
    }
    return this.#payload as P;
  }

  /** The payload as it was enqueued, byte for byte; empty when there is none. */
  get rawPayload(): Buffer {
    return bufferOf(this.#run.message.payload);
  }

  /** The task's id, the same in every run. */
  get id(): string {
    return this.#run.message.id;
  }

  /** The queue the task came from. */
  get queue(): string {
    return this.#run.message.queue;
  }

  /** Counted failures before this run; 0 in the first. */
  get retried(): number {
    return this.#run.message.retried;
  }

  /** Retries allowed after the first run. */
  get maxRetry(): number {
    return this.#run.message.maxRetry;
  }

  /** The producer's metadata, frozen; empty if there is none. */
  get headers(): Headers {
    return headersOf(this.#run.message);
  }

  /** When this run must have ended: the earlier of the task's timeout and deadline (S-39 to S-42). */
  get deadline(): Date {
    return new Date(this.#deadlineAt);
  }

  /**
   * Aborts when the run must stop; pass it to whatever the handler awaits. Its `reason` says why:
   * DeadlineExceededError, TaskCanceledError, LeaseExpiredError or TaskAbortedError (the server shuts down).
   */
  get signal(): AbortSignal {
    return this.#run.abortSignal();
  }

  /**
   * Stores a result now, replacing an earlier one; it is readable at once and kept as long as the task (C-87). Bytes
   * are stored unchanged, anything else through the codec.
   *
   * @throws InvalidTaskError when the value cannot be encoded.
   * @throws the signal's reason when the run was aborted; InvalidStateError when it has ended or the task is gone.
   * @throws BrokerUnavailableError when Redis cannot be reached.
   */
  async writeResult(value: unknown): Promise<void> {
    await this.#run.storeResult(encodePayload(value, this.#run.codec, 'result'));
  }

  /** Returns the same run with another payload, from validation or a middleware. */
  withPayload<Q>(payload: Q): Task<Q> {
    const task = new Task<Q>(this.#run, this.#deadlineAt);
    task.#payload = payload;
    task.#decoded = true;
    return task;
  }

  toJSON(): object {
    const { id, type, queue, retried, maxRetry } = this;
    const { message, codec } = this.#run;
    const payload = this.#decoded ? showValueOf(this.#payload) : showDecoded(message.payload, codec);
    const deadline = this.#deadlineAt === 0 ? undefined : this.deadline;
    return { id, type, queue, payload, headers: showHeaders(message.headers), retried, maxRetry, deadline };
  }

  [inspect.custom](depth: number | null, options: InspectOptionsStylized): string {
    return inspectAs('Task', this.toJSON(), { depth, options });
  }
}

/** Returns a view of a task that does not run here, for the user's callbacks. */
export function detachedTask(message: TaskMessage, codec: PayloadCodec): Task {
  const refuse = (): Promise<never> =>
    Promise.reject(new InvalidStateError(`Task "${message.id}" does not run here, so no result can be written`));
  const run: RunHandle = { message, codec, abortSignal: () => new AbortController().signal, storeResult: refuse };
  return new Task(run, epochMs(0));
}
