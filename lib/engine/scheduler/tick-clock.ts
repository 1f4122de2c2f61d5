import { nextTick } from '../../model/cron/cron-next.js';
import { tickMemory } from '../../model/cron/schedule.js';
import type { Clock } from '../../model/time/clock.js';
import { elapsed, type EpochMs, epochMs, subtractMs } from '../../model/time/duration.js';
import { Alarm } from '../lifecycle/alarm.js';
import { lastTicks, type LastTicks, ticksBetween } from './missed-ticks.js';
import type { ScheduleEntry } from './schedule-entry.js';
import { TickHeap } from './tick-heap.js';

/** Missed ticks that are made up for at most, the newest ones. */
export const mostMissed = 1_000;

export interface TickClockDeps {
  readonly clock: Clock;
  /** Ticks have come, ascending, at least one. */
  readonly onTicks: (entry: ScheduleEntry, ticks: readonly EpochMs[]) => void;
  /** Ticks after the one instant and before the other are left out. */
  readonly onMissed: (entry: ScheduleEntry, missed: { readonly after: EpochMs; readonly until: EpochMs }) => void;
}

/**
 * Tells when each entry's ticks have come, never before their time. One timer for all entries: ten thousand of them cost
 * nothing while none is due. After a sleep, of the process or of the machine, it tells all ticks that passed meanwhile.
 */
export class TickClock {
  readonly #heap = new TickHeap<ScheduleEntry>();
  readonly #alarm: Alarm;
  #removed = 0;
  #isRunning = false;

  constructor(private readonly deps: TickClockDeps) {
    this.#alarm = new Alarm({ clock: deps.clock, onTime: (now) => this.#ring(now) });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  start(): void {
    this.#isRunning = true;
  }

  stop(): void {
    this.#isRunning = false;
    this.#alarm.cancel();
    this.#heap.keep(() => false);
  }

  /** Ticks of an entry after an instant are told; before {@link start} nothing happens. */
  add(entry: ScheduleEntry, after: EpochMs): void {
    if (!this.#isRunning) return;
    entry.next = nextTick(entry.schedule, after);
    this.#wait(entry);
    if (entry.next !== undefined) this.#alarm.setBy(entry.next);
  }

  /** An entry was removed: it is forgotten with others, or when its time comes. */
  forgetRemoved(): void {
    this.#removed += 1;
    if (this.#removed < 100 || this.#removed < this.#heap.size / 2) return;
    this.#heap.keep(({ isRemoved }) => !isRemoved);
    this.#removed = 0;
  }

  #wait(entry: ScheduleEntry): void {
    if (entry.next !== undefined) this.#heap.add(entry.next, entry);
  }

  #ring(now: EpochMs): EpochMs | undefined {
    const due: ScheduleEntry[] = [];
    while (this.#heap.earliest !== undefined && this.#heap.earliest <= now)
      due.push(this.#heap.take() as ScheduleEntry);
    for (const entry of due) {
      if (entry.isRemoved) {
        this.#removed -= 1;
        continue;
      }
      const first = entry.next as EpochMs;
      entry.next = nextTick(entry.schedule, now);
      this.#wait(entry);
      this.#tell(entry, { first, now });
    }
    return this.#heap.earliest;
  }

  #tell(entry: ScheduleEntry, { first, now }: { readonly first: EpochMs; readonly now: EpochMs }): void {
    const after = epochMs(first - 1);
    const { schedule } = entry;
    if (elapsed(first, now) <= tickMemory) return this.deps.onTicks(entry, ticksBetween(schedule, after, now));
    // What others have enqueued meanwhile they will find taken; what nobody did is the entry's to decide.
    const remembered = subtractMs(now, tickMemory);
    const recent = ticksBetween(schedule, remembered, now);
    const old = madeUp(entry, { after, until: remembered, hasRecent: recent.length > 0 });
    if (!old.areAll) this.deps.onMissed(entry, { after, until: old.ticks[0] ?? remembered });
    const ticks = [...old.ticks, ...recent];
    if (ticks.length > 0) this.deps.onTicks(entry, ticks);
  }
}

function madeUp(
  { schedule, catchUp }: ScheduleEntry,
  { after, until, hasRecent }: { readonly after: EpochMs; readonly until: EpochMs; readonly hasRecent: boolean },
): LastTicks {
  const limit = catchUp === 'all' ? mostMissed : catchUp === 'latest' && !hasRecent ? 1 : 0;
  return lastTicks(schedule, { after, until, limit });
}
