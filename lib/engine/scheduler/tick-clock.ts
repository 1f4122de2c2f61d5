import { nextTick } from '../../model/cron/cron-next.js';
import { tickMemory } from '../../model/cron/published-schedule.js';
import type { Clock } from '../../model/time/clock.js';
import { elapsed, type EpochMs, epochMs, subtractMs } from '../../model/time/duration.js';
import { EarliestTimer } from '../lifecycle/earliest-timer.js';
import { lastTicks, type LastTicks, ticksBetween } from './missed-ticks.js';
import type { Schedule } from './schedule.js';
import { TickHeap } from './tick-heap.js';

/** How many missed ticks are caught up at most, the newest ones. */
export const maxMissed = 1_000;

export interface TickClockDeps {
  readonly clock: Clock;
  /** Called when ticks are due; ascending, at least one. */
  readonly onTicks: (schedule: Schedule, ticks: readonly EpochMs[]) => void;
  /** Called when ticks between two instants are skipped. */
  readonly onMissed: (schedule: Schedule, missed: { readonly after: EpochMs; readonly until: EpochMs }) => void;
}

/**
 * Reports when each schedule's ticks are due, never early. One timer serves all schedules: ten thousand of them cost
 * nothing while none is due. After a sleep of the process or the machine, it reports all ticks that passed in between.
 */
export class TickClock {
  readonly #heap = new TickHeap<Schedule>();
  readonly #timer: EarliestTimer;
  #removed = 0;
  #isRunning = false;

  constructor(private readonly deps: TickClockDeps) {
    this.#timer = new EarliestTimer({ clock: deps.clock, onFire: (now) => this.#ring(now) });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  start(): void {
    this.#isRunning = true;
  }

  stop(): void {
    this.#isRunning = false;
    this.#timer.cancel();
    this.#heap.keep(() => false);
  }

  /** Reports a schedule's ticks after an instant; does nothing before {@link start}. */
  add(schedule: Schedule, after: EpochMs): void {
    if (!this.#isRunning) return;
    schedule.next = nextTick(schedule.cron, after);
    this.#wait(schedule);
    if (schedule.next !== undefined) this.#timer.fireBy(schedule.next);
  }

  /** Notes that a schedule was removed: it is forgotten together with others, or when its tick comes. */
  forgetRemoved(): void {
    this.#removed += 1;
    if (this.#removed < 100 || this.#removed < this.#heap.size / 2) return;
    this.#heap.keep(({ isRemoved }) => !isRemoved);
    this.#removed = 0;
  }

  #wait(schedule: Schedule): void {
    if (schedule.next !== undefined) this.#heap.add(schedule.next, schedule);
  }

  #ring(now: EpochMs): EpochMs | undefined {
    const due: Schedule[] = [];
    while (this.#heap.earliest !== undefined && this.#heap.earliest <= now) due.push(this.#heap.take() as Schedule);
    for (const schedule of due) {
      if (schedule.isRemoved) {
        this.#removed -= 1;
        continue;
      }
      const first = schedule.next as EpochMs;
      schedule.next = nextTick(schedule.cron, now);
      this.#wait(schedule);
      this.#tell(schedule, { first, now });
    }
    return this.#heap.earliest;
  }

  #tell(schedule: Schedule, { first, now }: { readonly first: EpochMs; readonly now: EpochMs }): void {
    const after = epochMs(first - 1);
    const { cron } = schedule;
    if (elapsed(first, now) <= tickMemory) return this.deps.onTicks(schedule, ticksBetween(cron, after, now));
    // Ticks that other processes have enqueued will be found taken; for the rest the schedule's `catchUp` decides.
    const remembered = subtractMs(now, tickMemory);
    const recent = ticksBetween(cron, remembered, now);
    const old = madeUp(schedule, { after, until: remembered, hasRecent: recent.length > 0 });
    if (!old.areAll) this.deps.onMissed(schedule, { after, until: old.ticks[0] ?? remembered });
    const ticks = [...old.ticks, ...recent];
    if (ticks.length > 0) this.deps.onTicks(schedule, ticks);
  }
}

function madeUp(
  { cron, catchUp }: Schedule,
  { after, until, hasRecent }: { readonly after: EpochMs; readonly until: EpochMs; readonly hasRecent: boolean },
): LastTicks {
  const limit = catchUp === 'all' ? maxMissed : catchUp === 'latest' && !hasRecent ? 1 : 0;
  return lastTicks(cron, { after, until, limit });
}
