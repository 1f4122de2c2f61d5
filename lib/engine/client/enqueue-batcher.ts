import { maxBytesPerWrite, maxTasksPerWrite } from '../../model/broker/call-limits.js';
import type { Broker } from '../../model/broker/broker.js';
import type { EnqueueOutcome, EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import { asAsynqError, AsynqError, InternalError } from '../../model/errors/asynq-error.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import { ConditionVariable } from '../lifecycle/condition-variable.js';
import { EnqueueLimits, type Limited } from './enqueue-limits.js';

/** A task to be sent to the broker, and the callback for its outcome. */
export interface PendingEnqueue extends EnqueueRequest, Limited {
  /** Whether a call with it was lost, so that it may already be stored; set by the batcher. */
  mayBeStored: boolean;
  /** Called exactly once. */
  settle(outcome: EnqueueOutcome): void;
}

export interface EnqueueBatcherDeps {
  readonly broker: Pick<Broker, 'enqueue' | 'open' | 'isAvailable' | 'onAvailability'>;
  readonly clock: Clock;
}

/** Fewer tasks than this are not worth two calls. */
const minTasksToHalve = 16;
/** Two calls: Redis works on one while this process writes and reads the other. */
const maxCalls = 2;
/** How long to wait after a failure when nothing signals that Redis is back. */
const restAfterFailure = ms(100);

/**
 * `unopened`: nothing was sent yet; `opening`: the broker connects; `open`: calls can be made;
 * `resting`: a call or the opening failed, so nothing is tried until Redis is back or a short time has passed.
 */
type Phase = 'unopened' | 'opening' | 'open' | 'resting';

/**
 * Batches calls so that they share round trips: tasks that arrive in the same turn of the event loop, or while calls
 * are in progress, go together in the next call. A lone task is sent at once, without waiting for a timer.
 *
 * While Redis cannot be reached, tasks wait, in order, each until its own limit.
 */
export class EnqueueBatcher {
  /** In the order in which they are sent. */
  #waiting: PendingEnqueue[] = [];
  /** Calls in progress. */
  #calls = 0;
  /** Calls in progress whose only task is too large to share a call. */
  #heavyCalls = 0;
  #phase: Phase = 'unopened';
  /** Whether the broker was ever opened. */
  #opened = false;
  /** Whether this turn's tasks will be sent at its end. */
  #turnEnds = false;
  #turnBeganAt = ms(0);
  #restTimer: Timer | undefined;
  #stopListening: (() => void) | undefined;
  /** Why Redis could not be reached at the last attempt. */
  #lastError: Error | undefined;
  /** Notified whenever tasks were settled. */
  readonly #progress = new ConditionVariable();
  readonly #limits: EnqueueLimits;

  constructor(private readonly deps: EnqueueBatcherDeps) {
    this.#limits = new EnqueueLimits({
      clock: deps.clock,
      waiting: () => this.#waiting,
      isTransferring: () => this.#heavyCalls > 0 && deps.broker.isAvailable(),
      onLook: (now) => this.#expire(now),
    });
  }

  /** Accepts a task; it is sent with the others of this turn. */
  add(task: PendingEnqueue): void {
    this.#waiting.push(task);
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    this.#turnBeganAt = this.deps.clock.monotonic();
    process.nextTick(this.#endTurn);
  }

  /** Resolves when less than a batch is waiting, so that a producer of many tasks keeps pace with Redis. */
  async room(): Promise<void> {
    this.#flush();
    await this.#progress.waitUntil(() => this.#waiting.length < maxTasksPerWrite);
  }

  /** Resolves when every accepted task is settled. */
  async idle(): Promise<void> {
    await this.#progress.waitUntil(() => this.#waiting.length === 0 && this.#calls === 0);
  }

  /** Detaches from the broker; call it when idle. */
  stop(): void {
    this.#limits.stop();
    this.#restTimer?.cancel();
    this.#stopListening?.();
  }

  readonly #endTurn = (): void => {
    this.#turnEnds = false;
    this.#limits.turnEnded(this.#turnBeganAt);
    this.#flush();
  };

  #flush(): void {
    if (this.#phase === 'open' && !this.deps.broker.isAvailable()) this.#phase = 'resting';
    if (this.#phase === 'unopened' && this.#waiting.length > 0) void this.#open();
    if (this.#phase === 'open' && this.#calls === 0 && this.#waiting.length >= minTasksToHalve) {
      this.#sendHalf();
    } else {
      while (this.#phase === 'open' && this.#calls < maxCalls && this.#waiting.length > 0) {
        void this.#send(this.#take(maxTasksPerWrite));
      }
    }
    if (this.#waiting.length > 0) this.#limits.watch();
    else if (this.#calls === 0) this.#limits.stop();
  }

  /**
   * Sends half now and the rest in the next turn. If all were sent together, Redis would answer them together, and both
   * sides would take turns instead of working concurrently (50 callers: 190,000 tasks a second instead of 113,000).
   */
  #sendHalf(): void {
    void this.#send(this.#take(Math.min(maxTasksPerWrite, Math.ceil(this.#waiting.length / 2))));
    this.#turnEnds = true;
    this.#turnBeganAt = this.deps.clock.monotonic();
    setImmediate(this.#endTurn);
  }

  /** Takes the next call's tasks, at most `most`. */
  #take(most: number): readonly PendingEnqueue[] {
    const waiting = this.#waiting;
    let count = 0;
    let bytes = 0;
    while (count < waiting.length && count < most) {
      bytes += (waiting[count] as PendingEnqueue).message.payload.length;
      if (bytes > maxBytesPerWrite && count > 0) break;
      count += 1;
    }
    if (count < waiting.length) return waiting.splice(0, count);
    this.#waiting = [];
    return waiting;
  }

  async #send(batch: readonly PendingEnqueue[]): Promise<void> {
    const heavy = batch.length === 1 && (batch[0] as PendingEnqueue).message.payload.length > maxBytesPerWrite ? 1 : 0;
    this.#calls += 1;
    this.#heavyCalls += heavy;
    const outcomes = await this.#outcomesOf(batch);
    this.#calls -= 1;
    this.#heavyCalls -= heavy;
    let lost: PendingEnqueue[] | undefined;
    for (let index = 0; index < batch.length; index += 1) {
      const task = batch[index] as PendingEnqueue;
      const outcome = outcomes[index] as EnqueueOutcome;
      if (!(outcome instanceof BrokerUnavailableError)) task.settle(outcome);
      // A task with a generated id can be sent again: if it was stored, its id shows that. Should a worker have
      // finished it in that moment, it runs again, which is what at-least-once means.
      else if (task.idIsGenerated) (lost ??= []).push(task);
      else task.settle(outcomeUnknown(task, outcome));
    }
    if (!(outcomes[0] instanceof BrokerUnavailableError)) this.#limits.answered();
    if (lost !== undefined) {
      for (const task of lost) task.mayBeStored = true;
      this.#waiting = [...lost, ...this.#waiting];
      this.#rest();
    }
    this.#flush();
    this.#progress.notifyAll();
  }

  async #outcomesOf(batch: readonly PendingEnqueue[]): Promise<readonly EnqueueOutcome[]> {
    try {
      return await this.deps.broker.enqueue.enqueue(batch, this.deps.clock.now());
    } catch (error) {
      const fault = new InternalError('The broker rejected, which its contract forbids', { cause: error });
      return batch.map(() => fault);
    }
  }

  async #open(): Promise<void> {
    this.#phase = 'opening';
    this.#stopListening ??= this.deps.broker.onAvailability((news) => {
      this.#lastError = news.kind === 'down' ? news.error : undefined;
      if (news.kind === 'up' && this.#phase === 'resting') this.#resume();
    });
    try {
      await this.deps.broker.open();
      this.#opened = true;
      this.#phase = 'open';
    } catch (error) {
      if (error instanceof BrokerUnavailableError) {
        this.#lastError = error;
        return this.#rest();
      }
      // The server is too old or refuses the connection; waiting would not help.
      this.#phase = 'unopened';
      this.#giveUp(this.#waiting.splice(0), (): AsynqError => asAsynqError(error));
    }
    this.#flush();
  }

  /** Sends nothing until Redis is back, or for a short time if Redis seems to be reachable. */
  #rest(): void {
    this.#phase = 'resting';
    this.#restTimer?.cancel();
    this.#restTimer = this.deps.clock.setTimer(restAfterFailure, () => this.#resume());
  }

  #resume(): void {
    this.#restTimer?.cancel();
    if (!this.#opened) this.#phase = 'unopened';
    else if (this.deps.broker.isAvailable()) this.#phase = 'open';
    this.#flush();
  }

  #expire(now: Ms): void {
    const late = this.#waiting.filter((task) => task.giveUpAt <= now);
    this.#waiting = this.#waiting.filter((task) => task.giveUpAt > now);
    this.#giveUp(late, (task) =>
      task.mayBeStored ? outcomeUnknown(task, this.#lastError) : notSent(task, this.#lastError),
    );
    this.#limits.watch();
  }

  #giveUp(tasks: readonly PendingEnqueue[], errorFor: (task: PendingEnqueue) => AsynqError): void {
    for (const task of tasks) task.settle(errorFor(task));
    this.#progress.notifyAll();
  }
}

function notSent({ message }: PendingEnqueue, cause?: Error): BrokerUnavailableError {
  const reason = cause === undefined ? '' : `: ${cause.message}`;
  return new BrokerUnavailableError(
    `Redis could not be reached in time, so task "${message.type}" was not enqueued${reason}`,
    { cause },
  );
}

function outcomeUnknown({ message }: PendingEnqueue, cause?: Error): BrokerUnavailableError {
  return new BrokerUnavailableError(
    `The connection to Redis was lost while task "${message.type}" with id "${message.id}" was being enqueued: ` +
      'whether it is stored is unknown',
    { cause },
  );
}
