import type { PresenceContract, SignalListener } from '../../model/broker/presence.contract.js';
import { ms } from '../../model/time/duration.js';
import type { Clock } from '../../model/time/clock.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';

export interface SubscriberDeps {
  readonly presence: Pick<PresenceContract, 'subscribe'>;
  readonly listener: SignalListener;
  readonly clock: Clock;
  readonly brokerMonitor: BrokerReachability;
  readonly logger: ThrottledLogger;
}

const retryEvery = ms(5_000);
// The two messages of one cancellation are sent in direct succession.
const pairWindow = ms(5_000);
const maxPairs = 1_000;
// Once subscribed, the connection keeps the subscription alive by itself.
const checkEvery = ms(3_600_000);

/**
 * Receives cancellation requests and wake-ups. Tries to subscribe every 5 s until it works (S-99).
 *
 * Our own cancellation names its queue, and is followed by the bare id for Go servers. That second message is ignored
 * here: a task with the same id in another queue is not meant.
 */
export class Subscriber extends PeriodicService {
  readonly #deps: SubscriberDeps;
  /** Ids whose bare message is about to follow, and until when it is expected. */
  readonly #pairs = new Map<string, number>();
  #unsubscribe: (() => Promise<void>) | undefined;

  constructor(deps: SubscriberDeps) {
    const { clock, brokerMonitor, logger } = deps;
    super({ name: 'subscriber', every: retryEvery, first: 'at-once', whileDown: 'rest', clock, brokerMonitor, logger });
    this.#deps = deps;
  }

  override async runOnce(): Promise<typeof checkEvery> {
    const { presence, listener } = this.#deps;
    if (this.#unsubscribe !== undefined) return checkEvery;
    this.#unsubscribe = await presence.subscribe({
      onCancel: (taskId, request) => this.#onCancel(taskId, request),
      onWake: (queue) => listener.onWake(queue),
      onDue: (queue, dueAt) => listener.onDue(queue, dueAt),
      onMaintenance: (news) => listener.onMaintenance(news),
      onReconnect: () => listener.onReconnect(),
    });
    // The server has looked at its queues by now, and nobody heard what came to them since.
    listener.onReconnect();
    return checkEvery;
  }

  #onCancel(taskId: string, request: Parameters<SignalListener['onCancel']>[1]): void {
    const { clock, listener } = this.#deps;
    const now = clock.monotonic();
    if (request === undefined) {
      const until = this.#pairs.get(taskId);
      this.#pairs.delete(taskId);
      if (until !== undefined && now < until) return;
    } else {
      if (this.#pairs.size >= maxPairs) this.#pairs.clear();
      this.#pairs.set(taskId, now + pairWindow);
    }
    listener.onCancel(taskId, request);
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }
}
