import type { Broker } from '../../../lib/model/broker/broker.js';
import type { EnqueueOutcome, EnqueueRequest } from '../../../lib/model/broker/enqueue.contract.js';
import { aGate } from '../../support/until.js';

/** A broker whose enqueue calls can be counted, held up, and lost on their way back. */
export class WatchedBroker {
  /** The ids of each call, in order. */
  readonly calls: string[][] = [];
  /** Most calls that were under way at once. */
  maxAtOnce = 0;
  readonly broker: Broker;
  #atOnce = 0;
  #gate: ReturnType<typeof aGate<void>> | undefined;
  #lose: ((requests: readonly EnqueueRequest[]) => EnqueueOutcome | undefined) | undefined;

  constructor(inner: Broker) {
    this.broker = {
      work: inner.work,
      maintenance: inner.maintenance,
      presence: inner.presence,
      schedules: inner.schedules,
      enqueue: {
        enqueue: async (requests, now) => {
          this.calls.push(requests.map((request) => request.message.id));
          this.#atOnce += 1;
          this.maxAtOnce = Math.max(this.maxAtOnce, this.#atOnce);
          await this.#gate?.opened;
          const outcomes = await inner.enqueue.enqueue(requests, now);
          this.#atOnce -= 1;
          const lost = this.#lose?.(requests);
          return lost === undefined ? outcomes : outcomes.map(() => lost);
        },
      },
      describe: () => inner.describe(),
      open: async () => await inner.open(),
      ping: async () => await inner.ping(),
      time: async () => await inner.time(),
      isAvailable: () => inner.isAvailable(),
      onAvailability: (listener) => inner.onAvailability(listener),
      onNotice: (listener) => inner.onNotice(listener),
      close: async () => await inner.close(),
    };
  }

  /** How many tasks each call had. */
  get sizes(): number[] {
    return this.calls.map((ids) => ids.length);
  }

  /** Holds calls up until {@link release}. */
  hold(): void {
    this.#gate = aGate();
  }

  release(): void {
    this.#gate?.open();
    this.#gate = undefined;
  }

  /** Replaces the outcomes of calls, which are carried out nevertheless: an answer that is lost. */
  loseAnswers(lose: (requests: readonly EnqueueRequest[]) => EnqueueOutcome | undefined): void {
    this.#lose = lose;
  }
}
