import type { ScheduleContract } from '../../model/broker/schedule.contract.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import type { ClockMonitor } from '../lifecycle/clock-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { publishedSchedule, type Schedule } from './schedule.js';

export interface SchedulePublisherDeps {
  readonly schedules: Pick<ScheduleContract, 'publishSchedules' | 'clearSchedules'>;
  /** `host:pid:id` */
  readonly schedulerId: string;
  readonly registered: () => Iterable<Schedule>;
  readonly interval: Ms;
  readonly clock: Clock;
  readonly clockMonitor: Pick<ClockMonitor, 'look'>;
  readonly brokerMonitor: BrokerReachability;
  readonly logger: ThrottledLogger;
}

/** Changes within this time are published together. */
const changesTogether = ms(100);

/**
 * Publishes a scheduler's schedules for tools to show: at the start, at every interval, and soon after a change. Each
 * time, the clock is compared with that of Redis.
 */
export class SchedulePublisher extends PeriodicService {
  readonly #deps: SchedulePublisherDeps;
  #changed: Timer | undefined;

  constructor(deps: SchedulePublisherDeps) {
    const { clock, logger, brokerMonitor, interval } = deps;
    super({
      name: 'schedule heartbeat',
      every: interval,
      first: 'at-once',
      whileDown: 'rest',
      clock,
      logger,
      brokerMonitor,
    });
    this.#deps = deps;
  }

  /** Call when schedules were added or removed. */
  changed(): void {
    this.#changed ??= this.#deps.clock.setTimer(changesTogether, () => {
      this.#changed = undefined;
      this.wake();
    });
  }

  override async runOnce(): Promise<undefined> {
    const { schedules, schedulerId, registered, interval, clock, clockMonitor } = this.#deps;
    const published = schedules.publishSchedules({
      schedulerId,
      schedules: Array.from(registered(), publishedSchedule),
      ttl: ms(2 * interval),
      now: clock.now(),
    });
    await Promise.all([published, clockMonitor.look()]);
    return undefined;
  }

  override async stop(): Promise<void> {
    this.#changed?.cancel();
    this.#changed = undefined;
    await super.stop();
    const { schedules, schedulerId, brokerMonitor } = this.#deps;
    if (brokerMonitor.isUp()) await schedules.clearSchedules(schedulerId);
  }
}
