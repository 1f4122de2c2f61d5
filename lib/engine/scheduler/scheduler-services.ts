import type { Broker } from '../../model/broker/broker.js';
import type { EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { waitUntilDeadline } from '../lifecycle/deadline.js';
import { BrokerMonitor } from '../lifecycle/broker-monitor.js';
import { ClockMonitor } from '../lifecycle/clock-monitor.js';
import { silentLogger } from '../logger.js';
import { SchedulePublisher } from './schedule-publisher.js';
import { FirstTicks } from './first-ticks.js';
import type { Schedule } from './schedule.js';
import type { ResolvedSchedulerOptions } from './scheduler-options.js';
import { TickClock } from './tick-clock.js';
import { TickReport } from './tick-report.js';
import { TickSender } from './tick-sender.js';

export interface SchedulerServicesDeps {
  readonly broker: Broker;
  /** `host:pid:id` */
  readonly schedulerId: string;
  readonly options: ResolvedSchedulerOptions;
  readonly events: EngineEventEmitter;
  readonly registered: () => Iterable<Schedule>;
  /** Prepares the complete request of a schedule's task. */
  readonly prepare: (schedule: Schedule) => EnqueueRequest | Promise<EnqueueRequest>;
}

/** The services of a running scheduler, and the order in which they start and stop. */
export class SchedulerServices {
  readonly report: TickReport;
  readonly #brokerMonitor: BrokerMonitor;
  readonly #sender: TickSender;
  readonly #clock: TickClock;
  readonly #publisher: SchedulePublisher;
  readonly #firstTicks: FirstTicks;
  #stopListening: (() => void) | undefined;
  #isOpen = false;

  constructor(private readonly deps: SchedulerServicesDeps) {
    const { broker, events, options, schedulerId, registered, prepare } = deps;
    const { clock, logger, heartbeatInterval: interval, connection } = options;
    const { schedules } = broker;
    const open = async (): Promise<void> => await this.#open();
    this.report = new TickReport({ schedules, options, events, clock, logger });
    // The owner of a shared broker monitors it and logs about it.
    const ownLogger = connection.kind === 'own' ? logger : silentLogger;
    this.#brokerMonitor = new BrokerMonitor({
      broker,
      clock,
      logger: ownLogger,
      onDown: (error) => events.emit('brokerDown', { error }),
      onBack: (downFor) => events.emit('brokerUp', { downFor }),
    });
    this.#sender = new TickSender({ schedules, open, prepare, report: this.report, clock, logger });
    this.#clock = new TickClock({
      clock,
      onTicks: (schedule, ticks) => this.#sender.send(schedule, ticks),
      onMissed: (schedule, span) => this.report.missed(schedule, span),
    });
    this.#firstTicks = new FirstTicks({
      schedules,
      open,
      clock,
      logger,
      sender: this.#sender,
      onMissed: (schedule, span) => this.report.missed(schedule, span),
    });
    this.#publisher = new SchedulePublisher({
      schedules,
      schedulerId,
      registered,
      interval,
      clock,
      clockMonitor: new ClockMonitor({
        broker,
        clock,
        logger: ownLogger,
        onOff: (offset) => events.emit('clockOff', { offset, tasks: 'taken' }),
        onRight: (offset) => events.emit('clockRight', { offset }),
      }),
      brokerMonitor: this.#brokerMonitor,
      logger,
    });
  }

  async start(registered: Iterable<Schedule>): Promise<void> {
    const { logger } = this.deps.options;
    await this.#brokerMonitor.start();
    this.#stopListening = this.#brokerMonitor.onUp(() => {
      this.#sender.wake();
      this.#firstTicks.wake();
    });
    this.#clock.start();
    this.add([...registered]);
    await this.#publisher.start();
    this.#open().catch((error: unknown) => {
      // If Redis is just unreachable, the broker monitor logs it and the connection keeps trying.
      if (!(error instanceof BrokerUnavailableError)) logger.error(`Redis cannot be used: ${describeError(error)}`);
    });
  }

  /** Adds registered schedules; does nothing before the start. */
  add(registered: readonly Schedule[]): void {
    if (!this.#clock.isRunning) return;
    // One instant for all of them: a tick that comes while thousands are added is neither missed nor enqueued twice.
    const now = this.deps.options.clock.now();
    for (const schedule of registered) {
      if (schedule.catchUp !== 'skip') this.#sender.hold(schedule);
      this.#clock.add(schedule, now);
    }
    this.#firstTicks.find(registered, now);
    this.#publisher.changed();
  }

  /** Removes a schedule. */
  remove(schedule: Schedule): void {
    this.#sender.forget(schedule);
    this.#clock.forgetRemoved();
    this.#publisher.changed();
  }

  async stop(): Promise<void> {
    const { clock, shutdownTimeout, logger } = this.deps.options;
    this.#clock.stop();
    this.#stopListening?.();
    this.#firstTicks.stop();
    const { ended } = await waitUntilDeadline(this.#sender.stop(), { clock, limit: shutdownTimeout });
    if (ended !== 'in-time') {
      logger.warn('The scheduler shuts down before all enqueues in progress have finished');
    }
    this.#sender.giveUp();
    try {
      await this.#publisher.stop();
    } catch (error) {
      logger.warn(`The published schedules could not be removed and will expire: ${describeError(error)}`);
    }
    await this.#brokerMonitor.stop();
  }

  async #open(): Promise<void> {
    if (this.#isOpen) return;
    await this.deps.broker.open();
    this.#isOpen = true;
  }
}
