import { refusalError } from '../../model/broker/enqueue-refusal.js';
import type { EnqueueOutcome, EnqueuePlace, EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import type { AsynqError } from '../../model/errors/asynq-error.js';
import { rejectForCaller } from '../../model/errors/caller-stack.js';
import type { PayloadCodec } from '../../model/task/payload.codec.js';
import type { TaskInfo } from '../../model/task/task-info.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { EpochMs, Ms } from '../../model/time/duration.js';
import type { PendingEnqueue } from './enqueue-batcher.js';
import { taskInfoOf } from './new-task.js';

/** The outcome of one task of many. */
export type EnqueueResult =
  | { readonly status: 'enqueued'; readonly info: TaskInfo }
  | { readonly status: 'rejected'; readonly error: AsynqError };

/** When a task is enqueued, and until when it may be sent. */
export interface Moment {
  /** Monotonic time after which the task is no longer sent. */
  readonly giveUpAt: Ms;
  /** When the caller enqueued it. */
  readonly now: EpochMs;
  /** Decodes the payload when it is read. */
  readonly codec: PayloadCodec;
}

/** A request being sent. Its fields are the request's, so that this very object is passed to the broker. */
abstract class EnqueueOnItsWay implements PendingEnqueue {
  readonly message: TaskMessage;
  readonly place: EnqueuePlace;
  readonly uniqueForSeconds: number;
  readonly idIsGenerated: boolean;
  readonly giveUpAt: Ms;
  mayBeStored = false;
  readonly #moment: Moment;

  constructor(request: EnqueueRequest, moment: Moment) {
    this.message = request.message;
    this.place = request.place;
    this.uniqueForSeconds = request.uniqueForSeconds;
    this.idIsGenerated = request.idIsGenerated;
    this.giveUpAt = moment.giveUpAt;
    this.#moment = moment;
  }

  settle(outcome: EnqueueOutcome): void {
    if (outcome === 'enqueued') this.enqueued(taskInfoOf(this, this.#moment));
    else this.rejected(errorOf(outcome, this.message));
  }

  protected abstract enqueued(info: TaskInfo): void;
  protected abstract rejected(error: AsynqError): void;
}

/** A task that was enqueued by itself. */
export class AwaitedEnqueue extends EnqueueOnItsWay {
  readonly info: Promise<TaskInfo>;
  readonly #resolve: (info: TaskInfo | Promise<never>) => void;

  constructor(request: EnqueueRequest, moment: Moment) {
    super(request, moment);
    this.info = new Promise(takeResolve);
    this.#resolve = taken.resolve;
  }

  protected enqueued(info: TaskInfo): void {
    this.#resolve(info);
  }

  protected rejected(error: AsynqError): void {
    this.#resolve(rejectForCaller(error));
  }
}

/** A task that was enqueued as one of many. */
export class CountedEnqueue extends EnqueueOnItsWay {
  readonly #tally: Tally;
  readonly #index: number;

  constructor(request: EnqueueRequest, moment: Moment, place: { readonly tally: Tally; readonly index: number }) {
    super(request, moment);
    this.#tally = place.tally;
    this.#index = place.index;
  }

  protected enqueued(info: TaskInfo): void {
    this.#tally.add(this.#index, { status: 'enqueued', info });
  }

  protected rejected(error: AsynqError): void {
    this.#tally.add(this.#index, { status: 'rejected', error });
  }
}

/** Collects the outcomes of many tasks; complete once all have arrived. */
export class Tally {
  readonly results: Promise<EnqueueResult[]>;
  readonly #results: EnqueueResult[];
  readonly #complete: (results: EnqueueResult[]) => void;
  #missing: number;

  constructor(count: number) {
    this.#results = Array.from({ length: count });
    this.#missing = count;
    let complete!: (results: EnqueueResult[]) => void;
    this.results = new Promise((resolve) => {
      complete = resolve;
    });
    this.#complete = complete;
    if (count === 0) complete(this.#results);
  }

  add(index: number, result: EnqueueResult): void {
    this.#results[index] = result;
    this.#missing -= 1;
    if (this.#missing === 0) this.#complete(this.#results);
  }
}

// One executor for all promises saves a closure per task.
const taken = {} as { resolve: (info: TaskInfo | Promise<never>) => void };

function takeResolve(resolve: (info: TaskInfo | Promise<never>) => void): void {
  taken.resolve = resolve;
}

function errorOf(outcome: Exclude<EnqueueOutcome, 'enqueued'>, message: TaskMessage): AsynqError {
  return outcome === 'duplicate' || outcome === 'id-conflict' ? refusalError(outcome, message) : outcome;
}
