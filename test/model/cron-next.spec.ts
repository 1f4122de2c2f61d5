import * as fc from 'fast-check';
import { nextTick } from '../../lib/model/cron/cron-next.js';
import { parseCronSpec } from '../../lib/model/cron/cron-spec.js';
import { InvalidOptionError } from '../../lib/model/errors/option-errors.js';
import { type EpochMs, epochMs } from '../../lib/model/time/duration.js';

const at = (text: string): EpochMs => epochMs(Date.parse(`${text.replace(' ', 'T')}Z`));

/** The next ticks, as `2026-05-14 10:15:00` in UTC; `never` where they end. */
function ticks(spec: string, from: string, count: number, timeZone?: string): readonly string[] {
  const schedule = parseCronSpec(spec, timeZone === undefined ? {} : { timeZone });
  const found: string[] = [];
  let last: EpochMs | undefined = at(from);
  while (found.length < count && last !== undefined) {
    last = nextTick(schedule, last);
    found.push(last === undefined ? 'never' : new Date(last).toISOString().slice(0, 19).replace('T', ' '));
  }
  return found;
}

describe('nextTick', () => {
  it.each<[spec: string, from: string, ...next: string[]]>([
    ['* * * * *', '2026-01-31 23:59:30', '2026-02-01 00:00:00', '2026-02-01 00:01:00'],
    ['0 0 29 2 *', '2026-01-01 00:00:00', '2028-02-29 00:00:00', '2032-02-29 00:00:00'],
    ['0 0 31 2 *', '2026-01-01 00:00:00', 'never'],
    [', * * * *', '2026-01-01 00:00:00', 'never'],
    ['0 0 , * *', '2026-01-01 00:00:00', 'never'],
    ['0 0 30 4,6 *', '2026-05-01 00:00:00', '2026-06-30 00:00:00', '2027-04-30 00:00:00'],
    ['15 10 ? * mon', '2026-05-14 00:00:00', '2026-05-18 10:15:00', '2026-05-25 10:15:00'],
    ['0 12 1 * 1', '2026-05-14 00:00:00', '2026-05-18 12:00:00', '2026-05-25 12:00:00'],
    ['0 12 */2 * 1', '2026-05-14 13:00:00', '2026-05-15 12:00:00', '2026-05-17 12:00:00'],
    ['0 12 */1 * 1', '2026-05-14 13:00:00', '2026-05-18 12:00:00', '2026-05-25 12:00:00'],
    ['0 12 1-31 * 1', '2026-05-14 13:00:00', '2026-05-15 12:00:00', '2026-05-16 12:00:00'],
    ['0 12 1 * */2', '2026-05-14 13:00:00', '2026-05-16 12:00:00', '2026-05-17 12:00:00'],
    ['5/20 * * * *', '2026-05-14 10:26:00', '2026-05-14 10:45:00', '2026-05-14 11:05:00'],
    ['10-20/5 * * * *', '2026-05-14 10:16:00', '2026-05-14 10:20:00', '2026-05-14 11:10:00'],
    ['0 9-17 * JAN-Mar MON-fri', '2026-05-14 10:16:00', '2027-01-01 09:00:00', '2027-01-01 10:00:00'],
    ['*-5 * * * *', '2026-05-14 00:00:00', '2026-05-14 00:01:00', '2026-05-14 00:02:00'],
    ['TZ=Asia/Tokyo 0 9 * * *', '2026-05-14 00:00:00', '2026-05-15 00:00:00', '2026-05-16 00:00:00'],
    ['TZ=Asia/Tokyo @daily', '2026-05-14 00:00:00', '2026-05-14 15:00:00', '2026-05-15 15:00:00'],
    ['CRON_TZ=America/New_York 30 2 * * *', '2026-03-08 05:00:00', '2026-03-09 06:30:00', '2026-03-10 06:30:00'],
    ['CRON_TZ=America/New_York 0 3 * * *', '2026-03-08 05:00:00', '2026-03-08 07:00:00', '2026-03-09 07:00:00'],
    ['CRON_TZ=America/New_York 30 1 * * *', '2026-11-01 04:00:00', '2026-11-01 05:30:00', '2026-11-01 06:30:00'],
    ['CRON_TZ=America/New_York 30 1 * * *', '2026-11-01 06:30:00', '2026-11-02 06:30:00', '2026-11-03 06:30:00'],
    ['CRON_TZ=America/New_York 0 * * * *', '2026-11-01 05:00:00', '2026-11-01 06:00:00', '2026-11-01 07:00:00'],
    ['@yearly', '2026-05-14 00:00:00', '2027-01-01 00:00:00', '2028-01-01 00:00:00'],
    ['@weekly', '2026-05-14 00:00:00', '2026-05-17 00:00:00', '2026-05-24 00:00:00'],
    ['@hourly', '2026-05-14 00:00:00', '2026-05-14 01:00:00', '2026-05-14 02:00:00'],
    ['@every 30s', '2026-05-14 00:00:00.700', '2026-05-14 00:00:30', '2026-05-14 00:01:00'],
    ['@every 1500ms', '2026-05-14 00:00:00.700', '2026-05-14 00:00:01', '2026-05-14 00:00:02'],
    ['@every -5s', '2026-05-14 00:00:00', '2026-05-14 00:00:01', '2026-05-14 00:00:02'],
    ['@every 1h30m', '2026-05-14 00:00:00', '2026-05-14 01:30:00', '2026-05-14 03:00:00'],
    ['*/20 30 9 * * *', '2026-05-14 09:30:00', '2026-05-14 09:30:20', '2026-05-14 09:30:40', '2026-05-15 09:30:00'],
  ])('S-143 finds what follows for %j from %s', (spec, from, ...next) => {
    expect(ticks(spec, from, next.length)).toEqual(next);
  });

  it.each<[spec: string, from: string, ...next: string[]]>([
    ['@every 90s', '2026-05-14 00:00:00', '2026-05-14 00:01:30', '2026-05-14 00:03:00'],
    ['@every 90s', '2026-05-14 00:01:29.999', '2026-05-14 00:01:30', '2026-05-14 00:03:00'],
    ['@every 90s', '2026-05-14 00:01:30', '2026-05-14 00:03:00', '2026-05-14 00:04:30'],
    ['@every 7h', '1970-01-01 00:00:00', '1970-01-01 07:00:00', '1970-01-01 14:00:00'],
    ['TZ=Asia/Kolkata @every 1h', '2026-05-14 10:16:00', '2026-05-14 11:00:00', '2026-05-14 12:00:00'],
  ])('S-130 finds multiples of the period since 1970 for %j from %s', (spec, from, ...next) => {
    expect(ticks(spec, from, next.length)).toEqual(next);
  });

  it('also accepts a Date, and nothing but an instant', () => {
    const schedule = parseCronSpec('0 9 * * *');
    expect(nextTick(schedule, new Date('2026-05-14T08:00:00Z'))).toBe(Date.UTC(2026, 4, 14, 9));
    for (const wrong of [new Date('never'), Number.NaN, Infinity, '2026-05-14', undefined]) {
      expect(() => nextTick(schedule, wrong as Date)).toThrow(InvalidOptionError);
    }
  });

  it('S-142 uses the zone of the options', () => {
    expect(ticks('0 9 * * *', '2026-05-14 00:00:00', 1, 'America/New_York')).toEqual(['2026-05-14 13:00:00']);
  });

  it('gives up after five calendar years', () => {
    expect(ticks('0 0 29 2 *', '2098-12-31 23:59:58', 1)).toEqual(['never']);
    expect(ticks('0 0 29 2 *', '2098-12-31 23:59:59', 1)).toEqual(['2104-02-29 00:00:00']);
  });

  it('skips a midnight that the zone leaves out and keeps the rest of the day', () => {
    // Cairo went from 00:00 to 01:00 on 26 April 2024.
    expect(ticks('0 0 * * *', '2024-04-24 22:00:00', 2, 'Africa/Cairo')).toEqual([
      '2024-04-26 21:00:00',
      '2024-04-27 21:00:00',
    ]);
    expect(ticks('0 12 26 4 *', '2024-01-01 00:00:00', 1, 'Africa/Cairo')).toEqual(['2024-04-26 09:00:00']);
  });

  it('skips a day that the zone leaves out', () => {
    // Samoa had no 30 December 2011.
    expect(ticks('0 12 30 12 *', '2011-01-01 00:00:00', 2, 'Pacific/Apia')).toEqual([
      '2012-12-29 22:00:00',
      '2013-12-29 22:00:00',
    ]);
    expect(ticks('0 0 * * *', '2011-12-29 00:00:00', 3, 'Pacific/Apia')).toEqual([
      '2011-12-29 10:00:00',
      '2011-12-30 10:00:00',
      '2011-12-31 10:00:00',
    ]);
  });
});

// The days around every change of the clock in 2024, with changes at midnight, by half an hour and by two hours.
const changes = [
  ['America/New_York', '2024-03-10'],
  ['America/New_York', '2024-11-03'],
  ['Australia/Lord_Howe', '2024-04-07'],
  ['Australia/Lord_Howe', '2024-10-06'],
  ['America/Havana', '2024-03-10'],
  ['America/Havana', '2024-11-03'],
  ['Africa/Cairo', '2024-04-26'],
  ['Africa/Cairo', '2024-11-01'],
  ['Africa/Casablanca', '2024-03-10'],
  ['Africa/Casablanca', '2024-04-14'],
  ['Antarctica/Troll', '2024-03-31'],
  ['Antarctica/Troll', '2024-10-27'],
  ['Pacific/Chatham', '2024-09-29'],
  ['Atlantic/Azores', '2024-10-27'],
  ['Asia/Kathmandu', '2024-06-01'],
] as const;

const start = epochMs(Date.UTC(2024, 0, 1));
const field = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom('*', '?', '*/2', `${min}`, `${min}-${max}`),
    fc.integer({ min, max }).map(String),
    fc.tuple(fc.integer({ min, max }), fc.integer({ min: 1, max: 40 })).map(([first, step]) => `${first}/${step}`),
    fc.array(fc.integer({ min, max }), { minLength: 1, maxLength: 4 }).map((values) => values.join(',')),
  );
const anySpec = fc
  .oneof(
    { weight: 9, arbitrary: fc.tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)) },
    {
      weight: 1,
      arbitrary: fc.tuple(
        fc.constant('@every'),
        fc.integer({ min: 1, max: 400_000 }).map((n) => `${n}s`),
      ),
    },
  )
  .map((fields) => fields.join(' '));
const anyZone = fc.constantFrom('UTC', ...changes.map(([zone]) => zone));
const anyInstant = fc.integer({ min: 0, max: 365 * 86_400_000 }).map((offset) => epochMs(start + offset));

describe('the ticks of any schedule', () => {
  it('are whole seconds, strictly later, and the same from any earlier instant', () => {
    fc.assert(
      fc.property(
        anySpec,
        anyZone,
        anyInstant,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (spec, timeZone, after, part) => {
          const schedule = parseCronSpec(spec, { timeZone });
          const tick = nextTick(schedule, after);
          if (tick === undefined) return;
          expect(tick % 1_000).toBe(0);
          expect(tick).toBeGreaterThan(after);
          const between = Math.min(tick - 1, after + Math.floor(part * (tick - after)));
          expect(nextTick(schedule, epochMs(between))).toBe(tick);
        },
      ),
    );
  });

  it.each(changes)('are the minutes that its wall clock shows: %s around %s', (timeZone, date) => {
    const from = Date.parse(`${date}T00:00:00Z`) - 36 * 3_600_000;
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      weekday: 'short',
      hour: 'numeric',
      minute: 'numeric',
    });
    const clock = Array.from({ length: 72 * 60 }, (_, minute) => {
      const instant = from + minute * 60_000;
      const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
      return { instant, parts };
    });
    fc.assert(
      fc.property(field(0, 59), field(0, 23), field(0, 6), (minutes, hours, weekdays) => {
        const schedule = parseCronSpec(`${minutes} ${hours} * * ${weekdays}`, { timeZone });
        if (schedule.kind !== 'fields') throw new Error('there are fields');
        const { times } = schedule;
        const shown = clock
          .filter(({ parts }) => times.minutes.includes(Number(parts['minute'])))
          .filter(({ parts }) => times.hours.includes(Number(parts['hour'])))
          .filter(({ parts }) => times.daysOfWeek.includes(weekdayNames.indexOf(parts['weekday'] ?? '')))
          .map(({ instant }) => instant);
        const found: number[] = [];
        let last = nextTick(schedule, epochMs(from - 1));
        for (; last !== undefined && last < from + 72 * 3_600_000; last = nextTick(schedule, last)) found.push(last);
        expect(found).toEqual(shown);
      }),
      { numRuns: 25 },
    );
  });
});

const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
