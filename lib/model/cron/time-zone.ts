import { secondsPerDay } from '../time/utc-day.js';

/** A span of time with a constant zone offset. In epoch seconds, without the end. */
export interface ZoneSpan {
  readonly until: number;
  /** Seconds to add to an instant to get the wall clock time. */
  readonly offset: number;
}

/** The largest difference between two offsets of a zone, in seconds: they range from -12 to +14 hours. */
export const maxShift = 26 * 3_600;

/** The offsets of one zone, read from the runtime's time-zone data for each day and cached. */
export class ZoneOffsets {
  static readonly #zones = new Map<string, ZoneOffsets>();
  readonly #format: Intl.DateTimeFormat;
  /** The spans that begin on each day, by day since the epoch. */
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
   * Returns the zone with that IANA name. Zones are cached, since creating one costs 60 µs and many schedules share few
   * zones.
   *
   * @throws RangeError when the runtime does not know the zone.
   */
  static of(timeZone: string): ZoneOffsets {
    let zone = this.#zones.get(timeZone);
    if (zone === undefined) this.#zones.set(timeZone, (zone = new ZoneOffsets(timeZone)));
    return zone;
  }

  /** Returns the span that contains an instant, at most to the end of its UTC day. */
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

  /** Returns the spans of one day; no zone changes its offset twice within a day. */
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
