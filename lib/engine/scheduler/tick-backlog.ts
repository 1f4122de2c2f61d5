import type { EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import type { EpochMs } from '../../model/time/duration.js';
import type { ScheduleEntry } from './schedule-entry.js';

/** One tick on its way to become a task. */
export interface Tick {
  readonly entry: ScheduleEntry;
  /** The instant that the schedule names. */
  readonly instant: EpochMs;
  /** Its task, once prepared; kept, so that every attempt has the same task id. */
  request?: EnqueueRequest;
  /** Whether a failure of it was announced. */
  hasFailed?: true;
}

/** Ticks of one entry that are kept at most; beyond it the oldest goes. */
const mostKept = 1_000;

/** Ticks that wait to be enqueued, by entry and in order. */
export class Backlog {
  readonly #ticks = new Map<ScheduleEntry, Tick[]>();
  readonly #held = new Set<ScheduleEntry>();

  hold(entry: ScheduleEntry): void {
    this.#held.add(entry);
  }

  release(entry: ScheduleEntry): void {
    this.#held.delete(entry);
  }

  /** Whether a tick of this entry has to wait for others. */
  has(entry: ScheduleEntry): boolean {
    return this.#held.has(entry) || this.#ticks.has(entry);
  }

  /** Whether there is a tick that could be enqueued. */
  isWaiting(): boolean {
    return this.entries().length > 0;
  }

  /** Entries with ticks that could be enqueued. */
  entries(): ScheduleEntry[] {
    return [...this.#ticks.keys()].filter((entry) => !this.#held.has(entry));
  }

  /** The oldest tick of an entry, unless it is held. */
  first(entry: ScheduleEntry): Tick | undefined {
    return this.#held.has(entry) ? undefined : this.#ticks.get(entry)?.[0];
  }

  /** Puts a tick in its place; answers with the one that had to go for it, if any. */
  add(tick: Tick): Tick | undefined {
    const { entry } = tick;
    if (entry.isRemoved) return undefined;
    const ticks = this.#ticks.get(entry);
    if (ticks === undefined) {
      this.#ticks.set(entry, [tick]);
      return undefined;
    }
    const later = ticks.findLastIndex(({ instant }) => instant <= tick.instant) + 1;
    ticks.splice(later, 0, tick);
    return ticks.length > mostKept ? ticks.shift() : undefined;
  }

  remove(tick: Tick): void {
    const ticks = this.#ticks.get(tick.entry);
    const place = ticks?.indexOf(tick) ?? -1;
    if (ticks === undefined || place === -1) return;
    ticks.splice(place, 1);
    if (ticks.length === 0) this.#ticks.delete(tick.entry);
  }

  forget(entry: ScheduleEntry): void {
    this.#ticks.delete(entry);
    this.#held.delete(entry);
  }

  takeAll(): Tick[] {
    const all = [...this.#ticks.values()].flat();
    this.#ticks.clear();
    this.#held.clear();
    return all;
  }
}
