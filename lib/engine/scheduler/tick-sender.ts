import { refusalError } from '../../model/broker/enqueue-refusal.js';
import type { EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import type { ScheduleContract, TickOutcome } from '../../model/broker/schedule.contract.js';
import { assertNever } from '../../model/errors/asynq-error.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import { type Clock, setBackgroundTimer, type Timer } from '../../model/time/clock.js';
import { type EpochMs, ms } from '../../model/time/duration.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { Backlog, type Tick } from './tick-backlog.js';
import type { Schedule } from './schedule.js';
import type { TickReport } from './tick-report.js';

export interface TickSenderDeps {
  readonly schedules: Pick<ScheduleContract, 'enqueueTick'>;
  /** Connects; done once however often it is called. */
  readonly open: () => Promise<void>;
  /** The task of a schedule, complete. */
  readonly prepare: (schedule: Schedule) => EnqueueRequest | Promise<EnqueueRequest>;
  readonly report: TickReport;
  readonly clock: Clock;
  readonly logger: ThrottledLogger;
}

const firstRest = ms(50);
const maxRest = ms(1_000);
/** Schedules whose backlogs are worked off at once. */
const maxAtOnce = 32;

/**
 * Enqueues the tasks of ticks. Each tick goes on its own, so that a slow one holds nobody up. One that cannot be stored
 * goes to the backlog of its schedule, and is tried again, with the same task id, until it is: oldest first, at least
 * once a second.
 */
export class TickSender {
  readonly #backlog = new Backlog();
  readonly #running = new Set<Promise<unknown>>();
  /** Why Redis cannot be reached; live ticks then wait with the others. */
  #away: BrokerUnavailableError | undefined;
  #rest = firstRest;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #isStopped = false;

  constructor(private readonly deps: TickSenderDeps) {}

  /** Holds a schedule's ticks back until {@link release}, so that those it has missed go first. */
  hold(schedule: Schedule): void {
    this.#backlog.hold(schedule);
  }

  /** Lets a schedule's ticks go, the given ones first. */
  release(schedule: Schedule, missed: readonly EpochMs[]): void {
    for (const tick of missed) this.#park({ schedule, instant: tick });
    this.#backlog.release(schedule);
    this.wake();
  }

  /** Enqueues the tasks of ticks that have come. */
  send(schedule: Schedule, ticks: readonly EpochMs[]): void {
    // Several at once come late: one after the other, so that the oldest is not overtaken by ten minutes.
    const isLate = ticks.length > 1;
    for (const instant of ticks) {
      const tick: Tick = { schedule, instant };
      if (!isLate && this.#away === undefined && !this.#backlog.has(schedule)) {
        this.#track(this.#try(tick).then((error) => error !== undefined && this.#park(tick)));
      } else {
        if (this.#away !== undefined) this.#report(tick, this.#away);
        this.#park(tick);
      }
    }
    if (isLate && this.#away === undefined) this.wake();
  }

  /** Forgets the ticks of a schedule that are still to be enqueued. */
  forget(schedule: Schedule): void {
    this.#backlog.forget(schedule);
  }

  /** Works off the backlog now: Redis is back, or there is something new in it. */
  wake(): void {
    if (this.#isStopped || this.#round !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#round = this.#workOff().finally(() => {
      this.#round = undefined;
      this.#arm();
    });
    this.#track(this.#round);
  }

  /** Starts nothing any more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    // One that ends may have begun another: a stored task is noted in the history.
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Reports the ticks that are left in the backlog as lost. */
  giveUp(): void {
    const error = new InvalidStateError('The scheduler was shut down before the tick could be enqueued', {
      cause: this.#away,
    });
    for (const tick of this.#backlog.takeAll()) this.deps.report.failed(tick, { error, outcome: 'drop' });
  }

  /** One round: every schedule's backlog, as far as it goes. */
  async #workOff(): Promise<void> {
    this.#away = undefined;
    const schedules = this.#backlog.ready();
    const worker = async (): Promise<void> => {
      for (let schedule = schedules.pop(); schedule !== undefined; schedule = schedules.pop()) {
        await this.#sendBacklogOf(schedule);
        if (this.#isStopped || this.#away !== undefined) return;
      }
    };
    await Promise.all(Array.from({ length: Math.min(maxAtOnce, schedules.length) }, worker));
  }

  async #sendBacklogOf(schedule: Schedule): Promise<void> {
    for (let tick = this.#backlog.first(schedule); tick !== undefined; tick = this.#backlog.first(schedule)) {
      if (this.#isStopped || this.#away !== undefined) return;
      // One that fails bars those behind it, of its own schedule only.
      if ((await this.#try(tick)) !== undefined) return;
      this.#backlog.remove(tick);
    }
  }

  #arm(): void {
    if (this.#isStopped || this.#timer !== undefined || !this.#backlog.isWaiting()) return;
    const again = (): void => {
      this.#timer = undefined;
      this.wake();
    };
    // Who watches the broker wakes this when it is back; until then it only looks just in case.
    if (this.#away !== undefined) this.#timer = setBackgroundTimer(this.deps.clock, { delay: this.#rest, run: again });
    else this.#timer = this.deps.clock.setTimer(this.#rest, again);
    this.#rest = ms(Math.min(2 * this.#rest, maxRest));
  }

  #park(tick: Tick): void {
    const dropped = this.#backlog.add(tick);
    if (dropped !== undefined) {
      const error = new InvalidStateError('More ticks of this schedule wait to be enqueued than are kept');
      this.deps.report.failed(dropped, { error, outcome: 'drop' });
    }
    if (this.#round === undefined) this.#arm();
  }

  /** Tries one tick; resolves with the error when it is to be tried again. */
  async #try(tick: Tick): Promise<unknown> {
    const { schedule } = tick;
    const { clock, report, schedules, open, prepare } = this.deps;
    try {
      if (tick.request === undefined) {
        report.begins(tick);
        tick.request = await prepare(schedule);
      }
    } catch (error) {
      report.failed(tick, { error, outcome: 'drop' });
      return undefined;
    }
    try {
      await open();
      // It may have been removed while it waited.
      if (schedule.isRemoved) return undefined;
      const { request } = tick;
      const now = clock.now();
      const outcome = await schedules.enqueueTick({
        schedule: schedule.id,
        tick: tick.instant,
        request,
        overlap: schedule.overlap,
        now,
      });
      this.#away = undefined;
      this.#rest = firstRest;
      this.#settle(tick, { request, outcome, now });
      return undefined;
    } catch (error) {
      if (error instanceof BrokerUnavailableError) this.#away = error;
      this.#report(tick, error);
      return error;
    }
  }

  #settle(
    tick: Tick,
    result: { readonly request: EnqueueRequest; readonly outcome: TickOutcome; readonly now: EpochMs },
  ): void {
    const { schedule, instant } = tick;
    const { report } = this.deps;
    const { outcome, request, now } = result;
    if (schedule.previous === undefined || schedule.previous < instant) schedule.previous = instant;
    switch (outcome) {
      case 'enqueued':
        this.#track(report.enqueued(tick, { request, now }));
        return;
      case 'taken':
      case 'overlaps':
        report.skipped(tick, outcome);
        return;
      case 'duplicate':
      case 'id-conflict':
        report.failed(tick, { error: refusalError(outcome, request.message), outcome: 'drop' });
        return;
      default:
        assertNever(outcome);
    }
  }

  /** The first failure of a tick is announced, the others only keep it waiting. */
  #report(tick: Tick, error: unknown): void {
    if (tick.hasFailed === true) return;
    tick.hasFailed = true;
    // The text of an outage differs from call to call.
    const reason = error instanceof BrokerUnavailableError ? 'Redis cannot be reached' : describeError(error);
    this.deps.logger.error(`Ticks cannot be enqueued, trying until they are: ${reason}`, {
      kind: 'ticks not enqueued',
    });
    this.deps.report.failed(tick, { error, outcome: 'retry' });
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }
}
