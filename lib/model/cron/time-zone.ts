import { secondsPerDay } from '../time/utc-day.js';

/** A stretch of time in which a zone keeps one offset. Epoch seconds; the end is not part of it. */
export interface ZoneSpan {
  readonly until: number;
  /** Seconds to add to an instant for the wall clock. */
  readonly offset: number;
}

/** No two offsets of a zone are further apart, in seconds: they reach from -12 to +14 hours. */
export const maxShift = 26 * 3_600;

/** The offsets of one zone, asked from the time-zone data of the runtime once a day and remembered. */
export class ZoneOffsets {
  static readonly #zones = new Map<string, ZoneOffsets>();
  readonly #format: Intl.DateTimeFormat;
  /** By day since the epoch: the spans that begin in that day. */
  readonly #days = new Map<number, readonly ZoneSpan[]>();

  private constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  }

  /**
   * The zone of that IANA name. Kept, since making one costs 60 µs and many schedules share few zones.
   *
   * @throws RangeError when the runtime knows no such zone.
   */
  static of(timeZone: string): ZoneOffsets {
    let zone = this.#zones.get(timeZone);
    if (zone === undefined) this.#zones.set(timeZone, (zone = new ZoneOffsets(timeZone)));
    return zone;
  }

  /** The span that an instant lies in, at most to the end of its day in UTC. */
  spanAt(instant: number): ZoneSpan {
    const number = Math.floor(instant / secondsPerDay);
    let spans = this.#days.get(number);
    if (spans === undefined) {
      // Ten years of days: more than any schedule looks ahead.
      if (this.#days.size >= 3_660) this.#days.clear();
      this.#days.set(number, (spans = this.#spansOf(number * secondsPerDay)));
    }
    return spans.find(({ until }) => instant < until) as ZoneSpan;
  }

  /** No zone changes its offset twice within a day. */
  #spansOf(start: number): readonly ZoneSpan[] {
    const before = this.#offsetAt(start);
    const after = this.#offsetAt(start + secondsPerDay - 1);
    if (before === after) return [{ until: start + secondsPerDay, offset: before }];
    let [low, high] = [start, start + secondsPerDay - 1];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    return [
      { until: high, offset: before },
      { until: start + secondsPerDay, offset: after },
    ];
  }

  #offsetAt(instant: number): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(instant * 1_000)) parts[type] = Number(value);
    const { year = 0, month = 0, day: date = 0, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, date, hour, minute, second) / 1_000 - instant;
  }
}
