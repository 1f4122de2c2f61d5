import { type Duration, InvalidOptionError, parseDuration } from '../../lib/core.js';
import { readDuration } from '../../lib/model/time/duration.js';

// What is asserted here is asserted by the type checker.
describe('Duration', () => {
  it('is what the library reads', () => {
    const hours: number = 2;
    const durations: readonly Duration[] = [
      5_000,
      1.5,
      '0',
      '250ms',
      '30s',
      '90m',
      '24h',
      '7d',
      '1.5h',
      '.5s',
      '10us',
      '10µs',
      '10ns',
      '1h30m',
      '1m30s',
      '59s999ms',
      '2d12h',
      '23h59m59s999ms',
      '1d2h3m4s5ms',
      '1h15s',
      `${hours}h`,
      `${hours}h${hours}m`,
    ];
    for (const duration of durations) expect(readDuration(duration)).toBeGreaterThanOrEqual(0);
  });

  it('accepts nothing else', () => {
    const text: string = '30s';
    const others: readonly Duration[] = [
      // @ts-expect-error a unit in words
      '2 seconds',
      // @ts-expect-error no unit
      '30',
      // @ts-expect-error no number
      's',
      // @ts-expect-error not a unit
      '3w',
      // @ts-expect-error not a unit
      '5min',
      // @ts-expect-error separated
      '1h 30m, 5s',
      // @ts-expect-error the shorter unit comes first
      '30m1h',
      // @ts-expect-error empty
      '',
      // @ts-expect-error text whose content is not known
      text,
      // @ts-expect-error an instant
      new Date(0),
      // @ts-expect-error nothing
      undefined,
    ];
    expect(others).toHaveLength(11);
  });
});

describe('text that the compiler cannot tell from a duration', () => {
  it('is refused when it is read', () => {
    const durations: readonly Duration[] = ['2 s', ' 2s', '1h 30m', '1e3s', '0x10s', '1h-30m'];
    for (const duration of durations) expect(readDuration(duration)).toBeUndefined();
  });
});

describe('parseDuration', () => {
  it('reads text that the compiler does not know', () => {
    const text: string = '1h30m';
    const duration: Duration = parseDuration(text);
    expect(duration).toBe(5_400_000);
  });

  it('refuses text that is not a duration, and one that is negative', () => {
    expect(() => parseDuration('2 hours')).toThrow(
      "parseDuration: text must be a duration such as '30s', '24h', '1h30m' or a number of milliseconds, got \"2 hours\"",
    );
    expect(() => parseDuration('-1s')).toThrow(InvalidOptionError);
    expect(() => parseDuration(undefined as never)).toThrow(InvalidOptionError);
  });
});
