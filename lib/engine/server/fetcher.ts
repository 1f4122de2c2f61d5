import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import type { DequeueResult, WorkContract } from '../../model/broker/work.contract.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { EpochMs } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { reportUndecodable } from '../storage-reporter.js';
import { EarlyCancels } from './early-cancels.js';
import { newLease } from './lease-keeper.js';
import type { FedQueue, QueueFeed } from './queue-feed.js';
import type { InternalEvents } from './internal-events.js';

export interface FetcherDeps {
  readonly work: Pick<WorkContract, 'dequeue'>;
  readonly feed: QueueFeed;
  readonly internalEvents: InternalEvents;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  /** `host:pid:server-id`. */
  readonly owner: string;
  /** The most tasks that one call asks for. */
  readonly slice: number;
}

/** Asks the queues that the feed names for tasks, and hands over what arrives. */
export class Fetcher {
  /** Tasks asked for and not answered yet. */
  #asked = 0;
  #lastCall = 0;
  readonly #earlyCancels = new EarlyCancels();

  constructor(private readonly deps: FetcherDeps) {}

  /** Slots that are promised to tasks on their way. */
  get asked(): number {
    return this.#asked;
  }

  /** Asks for up to `free` tasks. */
  fetch(free: number, now: EpochMs): void {
    const { feed, slice } = this.deps;
    for (const { queue, limit } of feed.plan(free)) {
      let left = limit;
      do {
        const size = Math.min(left, slice);
        void this.#request(queue, { limit: size, now });
        left -= size;
        // A queue that may well be empty is asked once.
      } while (left > 0 && queue.isOpen);
    }
  }

  /** A task was canceled that may be on its way from the broker. */
  cancelEarly(
    taskId: string,
    cancel: { readonly queue: string | undefined; readonly outcome: CancelOutcome | undefined },
  ): void {
    if (this.#asked === 0) return;
    this.#earlyCancels.add(taskId, { ...cancel, lastCall: this.#lastCall });
  }

  async #request(queue: FedQueue, { limit, now }: { readonly limit: number; readonly now: EpochMs }): Promise<void> {
    const { work, feed, owner, internalEvents } = this.deps;
    const call = (this.#lastCall += 1);
    const filter = feed.filterOf(queue);
    const wakesBefore = feed.asked(queue);
    const lease = newLease(now);
    this.#asked += limit;
    let result: DequeueResult | undefined;
    try {
      result = await work.dequeue({ queue: queue.name, limit, now, leaseUntil: lease.leaseUntil, owner, filter });
    } catch (error) {
      feed.refused(queue);
      if (error instanceof BrokerUnavailableError) internalEvents.emit('lostAnswer', { queue: queue.name });
      else this.#failed(queue.name, error);
    }
    this.#asked -= limit;
    if (result !== undefined) {
      feed.answered(queue, { result, filter, wakesBefore });
      const canceled = this.#earlyCancels.meet({ queue: queue.name, messages: result.messages, call });
      if (result.messages.length > 0) {
        internalEvents.emit('arrived', { queue: queue.name, messages: result.messages, lease, canceled });
      }
      if (result.undecodable.length > 0) reportUndecodable(result.undecodable, this.deps);
    }
    internalEvents.emit('work', undefined);
  }

  #failed(queue: string, error: unknown): void {
    const text = `Tasks of queue "${queue}" could not be fetched: ${describeError(error)}`;
    this.deps.logger.error(text, { kind: `fetch failed ${queue}` });
  }
}
