import type { ScheduleContract } from '../../model/broker/schedule.contract.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import type { BrokerLink } from '../lifecycle/broker-watch.js';
import type { ClockWatch } from '../lifecycle/clock-watch.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { publishedEntry, type ScheduleEntry } from './schedule-entry.js';

export interface EntryPublisherDeps {
  readonly schedule: Pick<ScheduleContract, 'publishEntries' | 'clearEntries'>;
  /** `host:pid:id` */
  readonly schedulerId: string;
  readonly entries: () => Iterable<ScheduleEntry>;
  readonly interval: Ms;
  readonly clock: Clock;
  readonly clocks: Pick<ClockWatch, 'look'>;
  readonly link: BrokerLink;
  readonly logger: ThrottledLogger;
}

/** Changes that come together are published together. */
const changesTogether = ms(100);

/**
 * Publishes a scheduler's entries for tools to show: at the start, every interval, and soon after a change. The clock is
 * compared with that of Redis each time.
 */
export class EntryPublisher extends PeriodicService {
  readonly #deps: EntryPublisherDeps;
  #changed: Timer | undefined;

  constructor(deps: EntryPublisherDeps) {
    const { clock, logger, link, interval } = deps;
    super({ name: 'schedule heartbeat', every: interval, first: 'at-once', whileDown: 'rest', clock, logger, link });
    this.#deps = deps;
  }

  /** Entries were added or removed. */
  changed(): void {
    this.#changed ??= this.#deps.clock.setTimer(changesTogether, () => {
      this.#changed = undefined;
      this.wake();
    });
  }

  override async runOnce(): Promise<undefined> {
    const { schedule, schedulerId, entries, interval, clock, clocks } = this.#deps;
    const published = schedule.publishEntries({
      schedulerId,
      entries: Array.from(entries(), publishedEntry),
      ttl: ms(2 * interval),
      now: clock.now(),
    });
    await Promise.all([published, clocks.look()]);
    return undefined;
  }

  override async stop(): Promise<void> {
    this.#changed?.cancel();
    this.#changed = undefined;
    await super.stop();
    const { schedule, schedulerId, link } = this.#deps;
    if (link.isUp()) await schedule.clearEntries(schedulerId);
  }
}
