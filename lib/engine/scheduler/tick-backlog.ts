import type { EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import type { EpochMs } from '../../model/time/duration.js';
import type { Schedule } from './schedule.js';

/** One tick whose task is to be enqueued. */
export interface Tick {
  readonly schedule: Schedule;
  /** The instant that the schedule specifies. */
  readonly instant: EpochMs;
  /** Its task, once prepared; kept so that every attempt has the same task id. */
  request?: EnqueueRequest;
  /** Whether its failure was announced. */
  hasFailed?: true;
}

/** How many ticks of one schedule are kept; beyond that the oldest is dropped. */
const maxKept = 1_000;

/** Ticks that wait to be enqueued, by schedule and in order. */
export class Backlog {
  readonly #ticks = new Map<Schedule, Tick[]>();
  readonly #held = new Set<Schedule>();

  hold(schedule: Schedule): void {
    this.#held.add(schedule);
  }

  release(schedule: Schedule): void {
    this.#held.delete(schedule);
  }

  /** Whether a tick of this schedule must wait for others. */
  has(schedule: Schedule): boolean {
    return this.#held.has(schedule) || this.#ticks.has(schedule);
  }

  /** Whether any tick can be enqueued. */
  isWaiting(): boolean {
    return this.ready().length > 0;
  }

  /** Returns the schedules with ticks that can be enqueued. */
  ready(): Schedule[] {
    return [...this.#ticks.keys()].filter((schedule) => !this.#held.has(schedule));
  }

  /** Returns the oldest tick of a schedule, unless the schedule is held. */
  first(schedule: Schedule): Tick | undefined {
    return this.#held.has(schedule) ? undefined : this.#ticks.get(schedule)?.[0];
  }

  /** Adds a tick in order; returns the one that was dropped for it, if any. */
  add(tick: Tick): Tick | undefined {
    const { schedule } = tick;
    if (schedule.isRemoved) return undefined;
    const ticks = this.#ticks.get(schedule);
    if (ticks === undefined) {
      this.#ticks.set(schedule, [tick]);
      return undefined;
    }
    const later = ticks.findLastIndex(({ instant }) => instant <= tick.instant) + 1;
    ticks.splice(later, 0, tick);
    return ticks.length > maxKept ? ticks.shift() : undefined;
  }

  remove(tick: Tick): void {
    const ticks = this.#ticks.get(tick.schedule);
    const place = ticks?.indexOf(tick) ?? -1;
    if (ticks === undefined || place === -1) return;
    ticks.splice(place, 1);
    if (ticks.length === 0) this.#ticks.delete(tick.schedule);
  }

  forget(schedule: Schedule): void {
    this.#ticks.delete(schedule);
    this.#held.delete(schedule);
  }

  takeAll(): Tick[] {
    const all = [...this.#ticks.values()].flat();
    this.#ticks.clear();
    this.#held.clear();
    return all;
  }
}
