import type { PresenceContract, SignalListener } from '../../model/broker/presence.contract.js';
import { ms } from '../../model/time/duration.js';
import type { Clock } from '../../model/time/clock.js';
import type { BrokerLink } from '../lifecycle/broker-watch.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { Logger } from '../logger.js';

export interface SubscriberDeps {
  readonly presence: Pick<PresenceContract, 'subscribe'>;
  readonly listener: SignalListener;
  readonly clock: Clock;
  readonly link: BrokerLink;
  readonly logger: Logger;
}

const retryEvery = ms(5_000);
// Subscribed once, the connection keeps the subscription alive by itself.
const checkEvery = ms(3_600_000);

/** Hears cancellation requests and wake-ups. Tries every 5 s to subscribe until it works (spec/03 §11). */
export class Subscriber extends PeriodicService {
  readonly #deps: SubscriberDeps;
  #unsubscribe: (() => Promise<void>) | undefined;

  constructor(deps: SubscriberDeps) {
    const { clock, link, logger } = deps;
    super({ name: 'subscriber', every: retryEvery, first: 'at-once', whileDown: 'rest', clock, link, logger });
    this.#deps = deps;
  }

  override async runOnce(): Promise<typeof checkEvery> {
    this.#unsubscribe ??= await this.#deps.presence.subscribe(this.#deps.listener);
    return checkEvery;
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }
}
