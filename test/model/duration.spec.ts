import * as fc from 'fast-check';
import {
  epochMs,
  ms,
  readDuration,
  toEpochSeconds,
  toEpochSecondsUp,
  toLifetimeSeconds,
  toLimitSeconds,
  toSecondsUp,
} from '../../lib/model/time/duration.js';
import { formatGoDuration } from '../../lib/model/time/go-time-text.js';
import { utcDay } from '../../lib/model/time/utc-day.js';

describe('readDuration', () => {
  it.each<[unknown, number | undefined]>([
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['7d', 604_800_000],
    ['250ms', 250],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['-1.5s', -1_500],
    ['+1s', 1_000],
    ['0', 0],
    [1_500, 1_500],
    [0, 0],
    ['', undefined],
    ['1', undefined],
    ['s', undefined],
    ['1 s', undefined],
    ['1s ', undefined],
    ['1h-5m', undefined],
    ['1w', undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [null, undefined],
    [new Date(0), undefined],
  ])('reads %p as %p', (input, expected) => {
    expect(readDuration(input)).toBe(expected);
  });

  it('reads durations as Go writes them, to the microsecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 14), max: 10 ** 14 }), (micros) => {
        expect(readDuration(formatGoDuration(ms(micros / 1_000)))).toBeCloseTo(micros / 1_000, 3);
      }),
    );
  });
});

describe('seconds of the wire', () => {
  it('P-07 round an instant down, or up for times before which nothing may start', () => {
    expect(toEpochSeconds(epochMs(1_999))).toBe(1);
    expect(toEpochSecondsUp(epochMs(1_001))).toBe(2);
    expect(toEpochSecondsUp(epochMs(2_000))).toBe(2);
  });

  it.each([
    [0, 0],
    [1, 1],
    [500, 1],
    [1_000, 1],
    [1_500, 2],
  ])('P-07 round a length of %d ms up to %d s', (length, seconds) => {
    expect(toSecondsUp(ms(length))).toBe(seconds);
  });
  it.each([
    [0, 1],
    [1, 1],
    [1_001, 2],
  ])('Q-48 keep something for %d ms: %d s', (length, seconds) => {
    expect(toLifetimeSeconds(ms(length))).toBe(seconds);
  });

  it.each([
    [0, 0],
    [1, 1],
    [1_999, 1],
    [2_000, 2],
  ])('Q-17 make a limit of %d ms one of %d s', (length, seconds) => {
    expect(toLimitSeconds(ms(length))).toBe(seconds);
  });
});

describe('a UTC day', () => {
  it('begins at midnight, whichever was asked for before', () => {
    const midnight = epochMs(Date.UTC(2026, 2, 1));
    expect([utcDay(epochMs(midnight - 1)), utcDay(midnight), utcDay(epochMs(midnight - 1))]).toEqual([
      '2026-02-28',
      '2026-03-01',
      '2026-02-28',
    ]);
  });
});
