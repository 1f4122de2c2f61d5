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
  /** Connects; does so once, however often it is called. */
  readonly open: () => Promise<void>;
  /** Prepares the complete request of a schedule's task. */
  readonly prepare: (schedule: Schedule) => EnqueueRequest | Promise<EnqueueRequest>;
  readonly report: TickReport;
  readonly clock: Clock;
  readonly logger: ThrottledLogger;
}

const firstRest = ms(50);
const maxRest = ms(1_000);
/** How many schedules' backlogs are processed concurrently. */
const maxAtOnce = 32;

/**
 * Enqueues the tasks of ticks. Each tick is sent by itself, so that a slow one does not delay others. A tick that
 * cannot be stored goes to the backlog of its schedule and is tried again, with the same task id, until it is stored:
 * oldest first, at least once a second.
 */
export class TickSender {
  readonly #backlog = new Backlog();
  readonly #running = new Set<Promise<unknown>>();
  /** Why Redis cannot be reached; live ticks then wait in the backlog. */
  #away: BrokerUnavailableError | undefined;
  #rest = firstRest;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #isStopped = false;

  constructor(private readonly deps: TickSenderDeps) {}

  /** Holds back a schedule's ticks until {@link release}, so that missed ones go first. */
  hold(schedule: Schedule): void {
    this.#backlog.hold(schedule);
  }

  /** Sends a schedule's held ticks, the given ones first. */
  release(schedule: Schedule, missed: readonly EpochMs[]): void {
    for (const tick of missed) this.#park({ schedule, instant: tick });
    this.#backlog.release(schedule);
    this.wake();
  }

  /** Enqueues the tasks of due ticks. */
  send(schedule: Schedule, ticks: readonly EpochMs[]): void {
    // Several at once are late: they go one after the other, so that the oldest is not overtaken by ten minutes.
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

  /** Forgets the ticks of a schedule that are not enqueued yet. */
  forget(schedule: Schedule): void {
    this.#backlog.forget(schedule);
  }

  /** Processes the backlog now: Redis is back, or something was added. */
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

  /** Starts nothing new; resolves when nothing is in progress. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    // One that ends may have started another: a stored task is written to the history.
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Reports the remaining ticks of the backlog as lost. */
  giveUp(): void {
    const error = new InvalidStateError('The scheduler was shut down before the tick could be enqueued', {
      cause: this.#away,
    });
    for (const tick of this.#backlog.takeAll()) this.deps.report.failed(tick, { error, outcome: 'drop' });
  }

  /** Does one round over every schedule's backlog. */
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
      // A failing tick only blocks the later ones of its own schedule.
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
    // The broker monitor wakes this when Redis is back; until then it only retries just in case.
    if (this.#away !== undefined) this.#timer = setBackgroundTimer(this.deps.clock, { delay: this.#rest, run: again });
    else this.#timer = this.deps.clock.setTimer(this.#rest, again);
    this.#rest = ms(Math.min(2 * this.#rest, maxRest));
  }

  #park(tick: Tick): void {
    const dropped = this.#backlog.add(tick);
    if (dropped !== undefined) {
      const error = new InvalidStateError('Too many ticks of this schedule are waiting to be enqueued');
      this.deps.report.failed(dropped, { error, outcome: 'drop' });
    }
    if (this.#round === undefined) this.#arm();
  }

  /** Tries one tick; resolves with the error if it should be tried again. */
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
      // The schedule may have been removed while the tick waited.
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

  /** Announces only the first failure of a tick. */
  #report(tick: Tick, error: unknown): void {
    if (tick.hasFailed === true) return;
    tick.hasFailed = true;
    // The text of an outage differs between calls.
    const reason = error instanceof BrokerUnavailableError ? 'Redis cannot be reached' : describeError(error);
    this.deps.logger.error(`Ticks cannot be enqueued, still trying: ${reason}`, {
      kind: 'ticks not enqueued',
    });
    this.deps.report.failed(tick, { error, outcome: 'retry' });
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }
}
