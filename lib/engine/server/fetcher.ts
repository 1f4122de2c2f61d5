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
  /** The maximum number of tasks per call. */
  readonly slice: number;
}

/** Fetches tasks from the queues that the feed selects, and passes on the ones that arrive. */
export class Fetcher {
  /** Tasks that were asked for in calls without a reply yet. */
  #asked = 0;
  #lastCall = 0;
  readonly #earlyCancels = new EarlyCancels();

  constructor(private readonly deps: FetcherDeps) {}

  /** Slots reserved for tasks in transit. */
  get asked(): number {
    return this.#asked;
  }

  /** Fetches up to `free` tasks. */
  fetch(free: number, now: EpochMs): void {
    const { feed, slice } = this.deps;
    for (const { queue, limit } of feed.plan(free)) {
      let left = limit;
      do {
        const size = Math.min(left, slice);
        void this.#request(queue, { limit: size, now });
        left -= size;
        // A queue that may be empty is asked only once.
      } while (left > 0 && queue.isOpen);
    }
  }

  /** Notes the cancellation of a task that may be in transit from the broker. */
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
      if (error instanceof BrokerUnavailableError) {
        internalEvents.emit('lostAnswer', { queue: queue.name, leaseUntil: lease.leaseUntil });
      } else this.#failed(queue.name, error);
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
