import { nextTick } from '../../lib/model/cron/cron-next.js';
import { parseCronSpec } from '../../lib/model/cron/cron-spec.js';
import { shortestPeriod } from '../../lib/model/cron/shortest-period.js';
import { epochMs } from '../../lib/model/time/duration.js';
import { seededRandom } from '../support/seeded-random.js';

const hour = 3_600;
const day = 24 * hour;

describe('the shortest time between two ticks', () => {
  it.each([
    ['* * * * * *', 1],
    ['*/7 * * * * *', 4],
    ['5,50 * * * * *', 15],
    ['30 */10 * * * *', 600],
    ['0,59 * * * *', 60],
    ['59 23 * * *', day],
    ['0,59 0,23 * * *', 60],
    ['0,59 0,23 * * mon', 59 * 60],
    ['0 0,23 * * mon', 23 * hour],
    ['0 0,23 * * mon,tue', hour],
    ['0 9-17/2 * * mon-fri', 2 * hour],
    ['0 9 * * mon,thu', 3 * day],
    ['0 9 * * sun,sat', day],
    ['@weekly', 7 * day],
    ['@monthly', 28 * day],
    ['@yearly', 365 * day],
    ['0 0 31 * *', 31 * day],
    ['0 0 1,31 * *', day],
    ['0 0 29 2 *', 1_461 * day],
    ['0 0 1,29 2,3 *', day],
    ['0 0 13 * fri', day],
    ['0 0 */2 * mon', day],
    ['@every 90s', 90],
    ['@every 36h', 36 * hour],
  ])('of %s is %d seconds', (spec, seconds) => {
    expect(shortestPeriod(parseCronSpec(spec))).toBe(seconds * 1_000);
  });

  it('follows the wall clock in a zone that changes it', () => {
    const daily = parseCronSpec('0 9 * * *', { timeZone: 'Europe/Berlin' });
    expect(shortestPeriod(daily)).toBe(day * 1_000);
  });

  it('does not exist for a schedule that never ticks', () => {
    expect(shortestPeriod(parseCronSpec('0 0 31 2 *'))).toBeUndefined();
  });

  it('is the same as found by visiting every tick', () => {
    const random = seededRandom(7);
    const pick = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
    const list = (from: number, to: number, most: number): string =>
      Array.from({ length: pick(1, most) }, () => pick(from, to)).join(',');
    for (let round = 0; round < 60; round += 1) {
      const time = `${list(0, 59, 2)} ${list(0, 59, 3)} ${list(0, 23, 3)}`;
      const schedule = parseCronSpec(`${time} * * ${random() < 0.5 ? '*' : list(0, 6, 2)}`);
      let shortest = Infinity;
      // All of a schedule by weekdays shows in two weeks.
      const end = Date.UTC(2026, 2, 15);
      for (let at = nextTick(schedule, epochMs(Date.UTC(2026, 2, 1))); at !== undefined && at < end;) {
        const next = nextTick(schedule, at);
        if (next !== undefined) shortest = Math.min(shortest, next - at);
        at = next;
      }
      expect([schedule.spec, shortestPeriod(schedule)]).toEqual([schedule.spec, shortest]);
    }
  });
});
