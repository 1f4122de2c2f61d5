import { createSchedule } from '../../../lib/engine/scheduler/schedule.js';
import { lastTicks } from '../../../lib/engine/scheduler/missed-ticks.js';
import { resolveSchedulerOptions } from '../../../lib/engine/scheduler/scheduler-options.js';
import { TickClock } from '../../../lib/engine/scheduler/tick-clock.js';
import { parseCronSpec } from '../../../lib/model/cron/cron-spec.js';
import { epochMs } from '../../../lib/model/time/duration.js';
import { seededRandom } from '../../support/seeded-random.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { useOwnRedis } from '../../support/redis-server.js';

useOwnRedis();

describe('the tick clock', () => {
  it('ticks at two in the morning throughout a month in which the clocks change', async () => {
    const clock = new VirtualClock({ now: '2026-03-15T00:00:00Z' });
    const rung: string[] = [];
    const ticks = new TickClock({
      clock,
      onTicks: (_, instants) => rung.push(...instants.map((instant) => new Date(instant).toISOString())),
      onMissed: () => rung.push('missed'),
    });
    const options = resolveSchedulerOptions({ timeZone: 'Europe/Berlin' });
    ticks.start();
    const entry = createSchedule({ spec: '0 2 * * *', task: 'nightly', payload: undefined, options: {} }, options);
    ticks.add(entry, clock.now());
    // A look at the wall clock every minute, 44,640 in all, makes this test take a second.
    await clock.advance('31d');
    ticks.stop();
    // Two o'clock does not exist on the 29th of March.
    const days = Array.from({ length: 32 }, (_, day) => new Date(Date.UTC(2026, 2, 15 + day)));
    expect(rung).toEqual(
      days
        .filter((day) => day.toISOString().slice(0, 10) !== '2026-03-29')
        .map((day) => `${day.toISOString().slice(0, 10)}T${day < new Date('2026-03-29') ? '01' : '00'}:00:00.000Z`),
    );
    expect(clock.armedTimers).toBe(0);
  });

  it('ticks for a time that came while other schedules were added', async () => {
    const clock = new VirtualClock({ now: '2026-03-15T02:00:01Z' });
    const rung: number[] = [];
    const ticks = new TickClock({
      clock,
      onTicks: (_, instants) => rung.push(...instants),
      onMissed: () => undefined,
    });
    ticks.start();
    const registration = { spec: '0 2 * * *', task: 'nightly', payload: undefined, options: {} };
    ticks.add(createSchedule(registration, resolveSchedulerOptions({})), epochMs(Date.UTC(2026, 2, 15, 1, 59, 59)));
    await clock.advance('1s');
    ticks.stop();
    expect(rung).toEqual([Date.UTC(2026, 2, 15, 2)]);
  });

  it('ticks each of a thousand schedules at its own times, with one timer', async () => {
    const clock = new VirtualClock({ now: '2026-03-15T00:00:00Z' });
    const random = seededRandom(7);
    const rung = new Map<string, number[]>();
    const ticks = new TickClock({
      clock,
      onTicks: ({ id }, instants) => rung.set(id, [...(rung.get(id) ?? []), ...instants]),
      onMissed: () => undefined,
    });
    const options = resolveSchedulerOptions({});
    ticks.start();
    const periods = Array.from({ length: 1_000 }, () => 1 + Math.floor(random() * 300));
    const entries = periods.map((period, index) =>
      createSchedule(
        { spec: `@every ${period}s`, task: 't', payload: undefined, options: { id: `${index}` } },
        options,
      ),
    );
    for (const entry of entries) ticks.add(entry, clock.now());
    expect(clock.armedTimers).toBe(1);
    // Half of them go again, so that the clock has to forget them.
    for (const entry of entries.slice(0, 500)) {
      entry.isRemoved = true;
      ticks.forgetRemoved();
    }
    const start = clock.now();
    await clock.advance('10m');
    ticks.stop();
    for (const [index, period] of periods.entries()) {
      const times = Array.from({ length: Math.floor(600 / period) + 1 }, (_, n) => n * period * 1_000);
      const first = Math.ceil((start + 1) / (period * 1_000)) * period * 1_000;
      const wanted = times.map((time) => first + time).filter((time) => time <= start + 600_000);
      expect(rung.get(`${index}`) ?? []).toEqual(index < 500 ? [] : wanted);
    }
  });
});

describe('the last ticks of a span', () => {
  const at = (text: string): ReturnType<typeof epochMs> => epochMs(Date.parse(text));

  it.each([
    ['0 2 * * *', '2020-01-01T00:00:00Z', 2, ['2026-03-14T02:00:00.000Z', '2026-03-15T02:00:00.000Z']],
    ['* * * * * *', '2020-01-01T00:00:00Z', 2, ['2026-03-15T11:59:59.000Z', '2026-03-15T12:00:00.000Z']],
    ['0 0 29 2 *', '2020-01-01T00:00:00Z', 5, ['2020-02-29T00:00:00.000Z', '2024-02-29T00:00:00.000Z']],
    ['0 0 1 1 *', '2026-01-01T00:00:00Z', 5, []],
  ])('of %s are found, however long it is', (spec, after, limit, wanted) => {
    const span = { after: at(after), until: at('2026-03-15T12:00:00Z'), limit };
    const { ticks } = lastTicks(parseCronSpec(spec), span);
    expect(ticks.map((tick) => new Date(tick).toISOString())).toEqual(wanted);
  });
});
