import type { ScheduleContract } from '../../model/broker/schedule.contract.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { type EpochMs, ms } from '../../model/time/duration.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { lastTicks } from './missed-ticks.js';
import type { Schedule } from './schedule.js';
import { maxMissed } from './tick-clock.js';
import type { TickSender } from './tick-sender.js';

export interface FirstTicksDeps {
  readonly schedules: Pick<ScheduleContract, 'latestTicks'>;
  /** Connects; does so once, however often it is called. */
  readonly open: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: ThrottledLogger;
  readonly sender: Pick<TickSender, 'release'>;
  /** Called when ticks between two instants are skipped. */
  readonly onMissed: (schedule: Schedule, missed: { readonly after: EpochMs; readonly until: EpochMs }) => void;
}

interface Search {
  readonly schedule: Schedule;
  /** When the schedule began: ticks up to then are missed; later ones come from the tick clock. */
  readonly began: EpochMs;
}

const batchSize = 1_000;
const rest = ms(1_000);

/**
 * Finds out where schedules stood when this process started them: which tick was the fleet's last, and which ticks were
 * missed since. Missed ticks to be caught up are enqueued before the first live one.
 */
export class FirstTicks {
  #waiting: Search[] = [];
  #running = false;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(private readonly deps: FirstTicksDeps) {}

  /** Looks up schedules that begin now. */
  find(schedules: readonly Schedule[], began: EpochMs): void {
    for (const schedule of schedules) this.#waiting.push({ schedule, began });
    this.wake();
  }

  /** Retries lookups that failed. */
  wake(): void {
    if (this.#running || this.#isStopped || this.#waiting.length === 0) return;
    this.#timer?.cancel();
    this.#running = true;
    void this.#lookUp();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #lookUp(): Promise<void> {
    try {
      await this.deps.open();
      while (this.#waiting.length > 0 && !this.#isStopped) {
        const batch = this.#waiting.slice(0, batchSize);
        const names = batch.map(({ schedule }) => ({ queue: schedule.queue, schedule: schedule.id }));
        const latest = await this.deps.schedules.latestTicks(names);
        this.#waiting.splice(0, batch.length);
        for (const [at, search] of batch.entries()) this.#found(search, latest[at]);
      }
    } catch (error) {
      // The broker monitor logs that Redis is unreachable, and when it is back.
      if (!(error instanceof BrokerUnavailableError)) {
        const text = `The last ticks cannot be read, so schedules that catch up wait: ${describeError(error)}`;
        this.deps.logger.error(text, { kind: 'last ticks not read' });
      }
      if (!this.#isStopped) this.#timer = this.deps.clock.setTimer(rest, () => this.wake());
    } finally {
      this.#running = false;
    }
  }

  #found({ schedule, began }: Search, latest: EpochMs | undefined): void {
    if (schedule.isRemoved || this.#isStopped) return;
    if (latest !== undefined && (schedule.previous === undefined || schedule.previous < latest))
      schedule.previous = latest;
    if (schedule.catchUp === 'skip') return;
    this.deps.sender.release(schedule, latest === undefined ? [] : this.#missed({ schedule, began }, latest));
  }

  #missed({ schedule, began }: Search, latest: EpochMs): readonly EpochMs[] {
    const limit = schedule.catchUp === 'all' ? maxMissed : 1;
    const { ticks, areAll } = lastTicks(schedule.cron, { after: latest, until: began, limit });
    if (!areAll) this.deps.onMissed(schedule, { after: latest, until: ticks[0] ?? began });
    return ticks;
  }
}
