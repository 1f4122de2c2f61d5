import { CronSpecError } from '../../lib/model/errors/cron-errors.js';
import { answerOf, recordedTicks, ticksOf } from './support/cron-ticks.js';

const title = ({ spec, zone }: { readonly spec: string; readonly zone: string }): string =>
  `${JSON.stringify(spec)} in ${zone}`;
const of = (fits: (record: (typeof recordedTicks)[number]) => boolean) =>
  recordedTicks.filter(fits).map((record) => [title(record), record] as const);

/**
 * Where Go is wrong and we are not. Its walk steps by whole hours and goes astray in a zone that moves its clock by half
 * an hour, and on a day without a midnight.
 */
const astray: Readonly<Record<string, { readonly misses?: readonly string[]; readonly adds?: readonly string[] }>> = {
  '"15 */2 * * *" in Australia/Lord_Howe': { misses: ['2024-04-07 02:15+10:30'] },
  '"0 0 * * *" in Australia/Lord_Howe': { misses: ['2024-04-08 00:00+10:30', '2024-10-07 00:00+11:00'] },
  '"@daily" in Australia/Lord_Howe': { misses: ['2024-04-08 00:00+10:30', '2024-10-07 00:00+11:00'] },
  '"30 1 * * *" in Australia/Lord_Howe': { adds: ['2024-10-06 02:30+11:00'] },
  '"15,45 2 * * *" in Australia/Lord_Howe': { misses: ['2024-04-07 02:15+10:30'] },
  '"0 3 * * *" in Australia/Lord_Howe': { misses: ['2024-04-07 03:00+10:30', '2024-10-06 03:00+11:00'] },
  '"0 12 */2 * 1" in Australia/Lord_Howe': { misses: ['2024-04-07 12:00+10:30'] },
  '"0 12 */2 * 1" in America/Havana': { adds: ['2024-03-10 12:00-04:00'] },
};

const isEvery = (spec: string): boolean => spec.includes('@every');

const seconds = (instants: readonly string[] = []): readonly number[] =>
  instants.map((text) => Date.parse(text) / 1_000);

// The file holds what robfig/cron computed for 2024 and the years before; recorder/record.mjs records it.
describe('S-143 a cron schedule', () => {
  it.each(of(({ count }) => count === undefined))('ticks all year as in Go: %s', (name, { answer, ...request }) => {
    const misses = seconds(astray[name]?.misses);
    const ticks = ticksOf(request);
    expect(ticks).toEqual(expect.arrayContaining([...misses]));
    const asInGo = [...ticks.filter((tick) => !misses.includes(tick)), ...seconds(astray[name]?.adds)];
    expect(
      answerOf(
        asInGo.sort((a, b) => a - b),
        { summedUp: answer.months !== undefined },
      ),
    ).toEqual(answer);
  });

  it.each(of(({ count, answer, spec }) => count !== undefined && answer.rejected !== true && !isEvery(spec)))(
    'has the same next ticks as in Go: %s',
    (_name, { answer, ...request }) => {
      expect(answerOf(ticksOf(request), { summedUp: false })).toEqual(answer);
    },
  );

  it.each(of(({ answer, spec }) => answer.rejected !== true && isEvery(spec)))(
    'S-130 has the same period as in Go, counted from 1970 instead of the start: %s',
    (_name, { answer, ...request }) => {
      const [first = 0, second = 0] = answer.ticks ?? [];
      const period = second - first;
      expect(ticksOf(request)).toEqual(answer.ticks?.map((tick) => tick - (tick % period)));
    },
  );

  it.each(of(({ answer }) => answer.rejected === true))('is refused as in Go: %s', (_name, request) => {
    expect(() => ticksOf(request)).toThrow(CronSpecError);
  });
});
