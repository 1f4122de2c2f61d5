import * as fc from 'fast-check';
import { type CronSpec, parseCronSpec } from '../../lib/model/cron/cron-spec.js';
import { CronSpecError } from '../../lib/model/errors/cron-errors.js';
import { InvalidOptionError } from '../../lib/model/errors/option-errors.js';

function faultOf(spec: string): CronSpecError {
  try {
    parseCronSpec(spec);
  } catch (error) {
    if (error instanceof CronSpecError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(spec)} was accepted`);
}

function timesOf(spec: string): Extract<CronSpec, { kind: 'fields' }>['times'] {
  const schedule = parseCronSpec(spec);
  if (schedule.kind !== 'fields') throw new Error(`${spec} has no fields`);
  return schedule.times;
}

const everyDay = { daysOfMonth: upTo(1, 31), months: upTo(1, 12), daysOfWeek: upTo(0, 6), days: 'both' };

function upTo(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe('parseCronSpec', () => {
  it.each<[spec: string, position: number, reason: RegExp]>([
    ['', 1, /5 fields.*or 6 with seconds first, got 0$/],
    ['* * * *', 8, /got 4$/],
    ['0 0 * * * * *', 13, /got 7$/],
    ['60 * * * *', 1, /^minute must be 0 to 59, got 60$/],
    ['0 24 * * *', 3, /^hour must be 0 to 23, got 24$/],
    ['0 0 0 * *', 5, /^day of month must be 1 to 31, got 0$/],
    ['0 0 1 13 *', 7, /^month must be 1 to 12 or jan to dec, got 13$/],
    ['0 0 * * 7', 9, /^day of week must be 0 to 6 or sun to sat, got 7$/],
    ['0 0 * * 1,5-1', 11, /^day of week range "5-1" begins after its end$/],
    ['0 0 * * sunday', 9, /got "sunday"$/],
    ['0 0 L * *', 5, /got "L"$/],
    ['0 0 * foo *', 7, /got "foo"$/],
    ['*/0 * * * *', 3, /^step of minute must be a whole number from 1, got "0"$/],
    ['*/ * * * *', 3, /got nothing$/],
    ['1-2-3 * * * *', 4, /^minute "1-2-3" has more than one "-"$/],
    ['1,1/2/3 * * * *', 6, /^minute "1\/2\/3" has more than one "\/"$/],
    ['-1 * * * *', 1, /got nothing$/],
    ['5 1-30 * * *', 5, /^hour must be 0 to 23, got 30$/],
    ['0 60 * * * *', 3, /^minute must be/],
    ['61 0 * * * *', 1, /^second must be/],
    ['@Daily', 1, /no such descriptor; the descriptors are @yearly,/],
    [' @daily', 8, /got 1$/],
    ['@reboot', 1, /no such descriptor/],
    ['@every', 1, /no such descriptor/],
    ['@every 5', 8, /must be followed by a duration such as 1h30m, got "5"$/],
    ['@every 1d', 8, /got "1d"$/],
    [
      'CRON_TZ=Nowhere/City 0 0 * * *',
      9,
      /^the zone must be an IANA time zone such as 'Europe\/Berlin', got "Nowhere\/City"$/,
    ],
    ['CRON_TZ=BST 0 0 * * *', 9, /^the zone must be an IANA time zone, got "BST"; did you mean 'Europe\/London'\?$/],
    ['TZ=Asia/Tokyo   0 24 * * *', 19, /^hour must be/],
    ['TZ=UTC @every x', 15, /got "x"$/],
  ])('S-143 refuses %j and says where and why', (spec, position, reason) => {
    const fault = faultOf(spec);
    expect(fault).toMatchObject({ code: 'ASYNQ_INVALID_CRON_SPEC', spec, position });
    expect(fault.reason).toMatch(reason);
    expect(fault.message).toBe(`Cron spec ${JSON.stringify(spec)}: ${fault.reason}, at column ${position}`);
  });

  it('refuses a zone without a spec, which crashes Go', () => {
    expect(faultOf('CRON_TZ=Asia/Tokyo')).toMatchObject({
      position: 19,
      reason: 'a space and the schedule must follow the zone',
    });
  });

  it('S-142 takes the zone of the prefix before that of the options, and UTC without either', () => {
    const zoneOf = (spec: string, timeZone?: string): unknown => {
      const schedule = parseCronSpec(spec, timeZone === undefined ? {} : { timeZone });
      return schedule.kind === 'fields' && schedule.timeZone;
    };
    expect(zoneOf('0 9 * * *')).toBe('UTC');
    expect(zoneOf('0 9 * * *', ' ')).toBe('UTC');
    expect(zoneOf('0 9 * * *', 'America/New_York')).toBe('America/New_York');
    expect(zoneOf('TZ=Asia/Tokyo 0 9 * * *', 'America/New_York')).toBe('Asia/Tokyo');
    expect(zoneOf('CRON_TZ=Asia/Tokyo @daily', 'America/New_York')).toBe('Asia/Tokyo');
    expect(zoneOf('TZ= 0 9 * * *', 'America/New_York')).toBe('UTC');
  });

  it.each(['Nowhere/City', '+07:00', 'Local', 'BST', 'europe/berlin'])(
    'refuses %s as the zone of the options',
    (timeZone) => {
      expect(() => parseCronSpec('0 9 * * *', { timeZone })).toThrow(InvalidOptionError);
    },
  );

  it('reads six fields with the seconds first', () => {
    expect(timesOf('*/20 30 9 * * *')).toEqual({ seconds: [0, 20, 40], minutes: [30], hours: [9], ...everyDay });
  });

  it.each<[string, readonly number[]]>([
    ['5', [5]],
    ['3,1,1,2-4', [1, 2, 3, 4]],
    ['1,,2,', [1, 2]],
    [',', []],
    ['50/5', [50, 55]],
    ['10-20/4', [10, 14, 18]],
    ['*-5/30', [0, 30]],
    ['007', [7]],
    ['58/100', [58]],
  ])('reads %s as minutes %j', (field, minutes) => {
    expect(timesOf(`${field} 0 * * *`)).toEqual({ seconds: [0], minutes, hours: [0], ...everyDay });
  });

  it('reads names of months and days in any case, and ends a stepped week on Saturday', () => {
    expect(timesOf('0 0 * JAN-mar Mon,sat')).toMatchObject({ months: [1, 2, 3], daysOfWeek: [1, 6] });
    expect(timesOf('0 0 * * 1/3')).toMatchObject({ daysOfWeek: [1, 4] });
  });

  it.each<[string, 'both' | 'either']>([
    ['0 12 1 * 1', 'either'],
    ['0 12 */2 * 1', 'either'],
    ['0 12 1-31 * 1', 'either'],
    ['0 12 */1 * 1', 'both'],
    ['0 12 *,5 * 1', 'both'],
    ['0 12 1 * ?', 'both'],
  ])('lets %j tick on days that match %s of the day fields', (spec, days) => {
    expect(timesOf(spec).days).toBe(days);
  });

  it.each([
    ['@every 1h30m', 5_400_000],
    ['@every 1500ms', 1_000],
    ['@every 2.9s', 2_000],
    ['@every 999ms', 1_000],
    ['@every 0', 1_000],
    ['@every -5s', 1_000],
    ['TZ=Asia/Tokyo @every 90s', 90_000],
  ])('reads %j as a period of %d ms', (spec, period) => {
    expect(parseCronSpec(spec)).toEqual({ kind: 'every', spec, period });
  });

  it('returns a schedule for any text, or an error with a position in it', () => {
    const piece = fc.constantFrom(
      '*',
      '?',
      '0',
      '5',
      '59',
      '31',
      '-',
      '/',
      ',',
      ' ',
      '\t',
      'mon',
      'JAN',
      '@daily',
      '@every ',
      '1h',
      'TZ=',
      'UTC',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join('')),
        ),
        (spec) => {
          try {
            expect(parseCronSpec(spec).spec).toBe(spec);
          } catch (error) {
            expect(error).toBeInstanceOf(CronSpecError);
            const { position } = error as CronSpecError;
            expect(position).toBeGreaterThanOrEqual(1);
            expect(position).toBeLessThanOrEqual(spec.length + 1);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
