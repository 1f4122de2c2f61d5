import type { DequeueResult, TypeFilter, WorkContract } from '../../model/broker/work.contract.js';
import type { QueueOrder } from '../../model/queue/queue-order.js';
import { type Clock, type Random, setBackgroundTimer, type Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import type { Service } from '../lifecycle/service.js';
import type { UnknownTypes } from './unknown-types.js';

export interface QueueFeedDeps {
  readonly work: Pick<WorkContract, 'waitForTask' | 'findWithTasks'>;
  readonly order: QueueOrder;
  readonly clock: Clock;
  readonly random: Random;
  readonly brokerMonitor: BrokerReachability;
  /** Every queue, highest weight first. */
  readonly queues: readonly string[];
  readonly strictPriority: boolean;
  readonly taskCheckInterval: Ms;
  /** Tasks that the server runs at once. */
  readonly concurrency: number;
  /** How many queues are waited on with a connection each. */
  readonly blockingConnections: number;
  /** What is known about tasks without a handler here; `undefined` if the handler accepts every type. */
  readonly unknownTypes: UnknownTypes | undefined;
  /** Called when a queue becomes worth asking. */
  readonly onWork: () => void;
}

/** What to fetch from one queue. */
export interface FeedRequest {
  readonly queue: FedQueue;
  readonly limit: number;
}

/** How a call ended. */
export interface FeedAnswer {
  readonly result: DequeueResult;
  /** What {@link QueueFeed.filterOf} gave before the call. */
  readonly filter: TypeFilter | undefined;
  /** What {@link QueueFeed.asked} gave before the call. */
  readonly wakesBefore: number;
}

/** What is known about one queue. */
export interface FedQueue {
  readonly name: string;
  /** Whether a connection may wait on it. */
  readonly isWatched: boolean;
  /** Whether it is worth asking, because it may have tasks. */
  isWanted: boolean;
  /** Whether the last reply said that there is more, so that several calls may be in progress at once. */
  isOpen: boolean;
  /** Calls in progress. */
  requests: number;
  /** Counts wake-ups, so that a reply that was in transit does not undo one. */
  wakes: number;
  isWaiting: boolean;
  /** Found empty, and checked together with the other empty queues. */
  isPolled: boolean;
  poll: Timer | undefined;
  /** Failed calls in a row. */
  failures: number;
}

/** How long one blocking wait lasts; an idle queue costs Redis one command in this time. */
const waitTimeout = ms(30_000);
/** How long a wait has to report a task before a signal counts instead. */
const waitHeadStart = ms(50);
/** Up to this many busy queues share slots one by one, since each call then asks for enough tasks. */
const fewQueues = 4;
/** How many slots a queue that has many tasks gets at once, at most. */
const largestBundle = 20;
const firstRetryDelay = ms(100);
const maxRetryDelay = ms(1_000);

/**
 * Knows which queues are worth asking. A queue that was found empty is waited on with a blocking call, if there is a
 * connection for it. The other empty queues are woken by signals, and checked all at once within `taskCheckInterval`. A
 * paused queue, or one that has only tasks of unknown types, is asked now and then, because waiting on it would always
 * return at once.
 */
export class QueueFeed implements Service {
  readonly name = 'queue feed';
  readonly #queues: readonly FedQueue[];
  readonly #byName: ReadonlyMap<string, FedQueue>;
  #stopping = new AbortController();
  #stopListening: (() => void) | undefined;
  /** Blocking calls, and checks of all polled queues, that are in progress. */
  #waits = new Set<Promise<void>>();
  #polling: Timer | undefined;

  constructor(private readonly deps: QueueFeedDeps) {
    this.#queues = deps.queues.map((name, rank) => ({
      name,
      isWatched: rank < deps.blockingConnections,
      isWanted: true,
      isOpen: false,
      requests: 0,
      wakes: 0,
      isWaiting: false,
      isPolled: false,
      poll: undefined,
      failures: 0,
    }));
    this.#byName = new Map(this.#queues.map((queue) => [queue.name, queue]));
  }

  start(): Promise<void> {
    this.#stopping = new AbortController();
    this.#stopListening = this.deps.brokerMonitor.onUp(() => this.wakeAll());
    for (const queue of this.#queues) queue.isWanted = true;
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopping.abort();
    this.#polling?.cancel();
    this.#polling = undefined;
    for (const queue of this.#queues) {
      queue.poll?.cancel();
      queue.isWanted = false;
      queue.isPolled = false;
    }
    await Promise.all(this.#waits);
  }

  /** Distributes `free` slots among the queues worth asking. */
  plan(free: number): readonly FeedRequest[] {
    const able = this.#queues.filter((queue) => queue.isWanted && (queue.isOpen || queue.requests === 0));
    if (able.length === 0) return [];
    // While a queue of higher priority has not replied, those below it wait.
    if (this.deps.strictPriority && this.#queues.find((queue) => queue.isWanted) !== able[0]) return [];
    if (able.length === 1) return [{ queue: able[0] as FedQueue, limit: free }];
    const shares = this.deps.order.shareSlots(free, {
      among: able.map((queue) => queue.name),
      ...(able.length > fewQueues && { bundleOf: this.#bundleOf }),
    });
    return shares.map(({ queue, slots }) => ({ queue: this.#byName.get(queue) as FedQueue, limit: slots }));
  }

  /**
   * A call costs as much as two tasks, so of many busy queues a few are asked for several tasks each. A queue that may
   * have fewer gets its slots one by one, so that single tasks in many queues do not wait for the bundles of others.
   */
  readonly #bundleOf = (name: string): number =>
    this.#byName.get(name)?.isOpen === true ? Math.min(largestBundle, Math.ceil(this.deps.concurrency / 5)) : 1;

  /** Notes a call in progress; returns the value to pass to {@link answered}. */
  asked(queue: FedQueue): number {
    queue.requests += 1;
    return queue.wakes;
  }

  /** Returns which tasks the next call takes; `undefined` for all. */
  filterOf(queue: FedQueue): TypeFilter | undefined {
    return this.deps.unknownTypes?.filterOf(queue.name);
  }

  /** Notes the reply to a call. */
  answered(queue: FedQueue, { result, filter, wakesBefore }: FeedAnswer): void {
    queue.requests -= 1;
    queue.failures = 0;
    const pause = filter === undefined ? ms(0) : (this.deps.unknownTypes?.looked(queue.name, result) ?? ms(0));
    // A fetch with a filter begins where the previous one ended.
    queue.isOpen = result.left === 'some' && this.filterOf(queue) === undefined;
    queue.isWanted =
      pause === 0 && (result.left === 'some' || (queue.wakes !== wakesBefore && result.left === 'drained'));
    if (queue.isWanted || queue.requests > 0) return;
    if (pause > 0) this.#wakeIn(queue, pause);
    else if (result.left !== 'drained') this.#askLater(queue);
    else if (queue.isWatched) this.#wait(queue);
    else this.#poll(queue);
  }

  /** Notes a failed call: the queue rests for a while. */
  refused(queue: FedQueue): void {
    queue.requests -= 1;
    queue.isOpen = false;
    queue.isWanted = false;
    const pause = Math.min(firstRetryDelay * 2 ** queue.failures, maxRetryDelay);
    queue.failures += 1;
    this.#wakeIn(queue, ms(pause));
  }

  /**
   * Notes that a task may have come to a queue. A queue with a waiting connection notices by itself, and faster, but
   * not while, for example, that connection is being re-established.
   */
  wake(name: string): void {
    const queue = this.#byName.get(name);
    if (queue === undefined) return;
    if (!queue.isWaiting) this.#wake(queue);
    else if (queue.poll === undefined) this.#wakeIn(queue, waitHeadStart);
  }

  /** Notes that tasks may have come to any queue. */
  wakeAll(): void {
    for (const queue of this.#queues) this.#wake(queue);
  }

  /** Notes that a task without a handler here was taken and is being put back. */
  tookUnknown(name: string, type: string): void {
    this.deps.unknownTypes?.taken(name, type);
    const queue = this.#byName.get(name);
    if (queue !== undefined) queue.isOpen = false;
  }

  #wake(queue: FedQueue): void {
    if (this.#stopping.signal.aborted) return;
    queue.poll?.cancel();
    queue.poll = undefined;
    queue.isPolled = false;
    queue.wakes += 1;
    queue.isWanted = true;
    this.deps.onWork();
  }

  #wait(queue: FedQueue): void {
    if (queue.isWaiting || this.#stopping.signal.aborted) return;
    queue.isWaiting = true;
    const wait = this.#waitFor(queue).finally(() => this.#waits.delete(wait));
    this.#waits.add(wait);
  }

  async #waitFor(queue: FedQueue): Promise<void> {
    const { signal } = this.#stopping;
    try {
      let outcome: Awaited<ReturnType<WorkContract['waitForTask']>>;
      do {
        outcome = await this.deps.work.waitForTask({ queue: queue.name, timeout: waitTimeout, signal });
      } while (outcome === 'none' && !signal.aborted && !queue.isWanted);
      queue.isWaiting = false;
      if (outcome === 'task') this.#wake(queue);
      else if (!queue.isWanted) this.#poll(queue);
    } catch {
      queue.isWaiting = false;
      // If Redis is unreachable, its return wakes the queue before this timer does.
      if (!queue.isWanted) this.#poll(queue);
    }
  }

  #askLater(queue: FedQueue): void {
    // Between 1 and 1.5 intervals, so that servers that started together do not poll together.
    this.#wakeIn(queue, ms(this.deps.taskCheckInterval * (1 + this.deps.random() / 2)));
  }

  /** Has a queue checked together with the others that were found empty. */
  #poll(queue: FedQueue): void {
    if (this.#stopping.signal.aborted) return;
    queue.isPolled = true;
    if (this.#polling !== undefined) return;
    const { clock, random, taskCheckInterval } = this.deps;
    // Never later than at every interval, and not at the same time as servers that started together.
    const delay = ms(taskCheckInterval * (0.5 + random() / 2));
    this.#polling = setBackgroundTimer(clock, { delay, run: () => this.#lookAtPolled() });
  }

  #lookAtPolled(): void {
    const look = this.#wakeWithTasks().finally(() => this.#waits.delete(look));
    this.#waits.add(look);
  }

  async #wakeWithTasks(): Promise<void> {
    const { work, brokerMonitor } = this.deps;
    const polled = this.#queues.filter((queue) => queue.isPolled);
    // If Redis is unreachable, its return wakes all of them.
    const found = brokerMonitor.isUp() ? await work.findWithTasks(polled.map(({ name }) => name)).catch(() => []) : [];
    this.#polling = undefined;
    for (const name of found) this.#wake(this.#byName.get(name) as FedQueue);
    const left = this.#queues.find((queue) => queue.isPolled);
    if (left !== undefined) this.#poll(left);
  }

  #wakeIn(queue: FedQueue, delay: Ms): void {
    if (this.#stopping.signal.aborted) return;
    queue.poll?.cancel();
    queue.poll = setBackgroundTimer(this.deps.clock, { delay, run: () => this.#wake(queue) });
  }
}
