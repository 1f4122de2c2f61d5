import { zoneNames } from '../../lib/model/cron/generated/zone-names.js';
import { type CronAnswer, recordedTicks } from './support/cron-ticks.js';
import { goBuildLimit, GoProgram } from './support/go-program.js';

describe('S-143 Go', () => {
  let go: GoProgram<CronAnswer>;

  beforeAll(async () => {
    go = await GoProgram.start<CronAnswer>('cron');
  }, goBuildLimit);

  afterAll(async () => {
    await go.close();
  });

  it('computes what is in golden/cron-ticks.json', async () => {
    const records = await Promise.all(
      recordedTicks.map(async ({ answer, ...request }) => ({ answer, found: await go.ask(request) })),
    );
    expect(records.map(({ found }) => found)).toEqual(records.map(({ answer }) => answer));
  });

  it('accepts every time zone that is accepted here', async () => {
    const names = Object.entries(zoneNames).flatMap(([area, places]) =>
      places.split(' ').map((place) => (area === '' ? place : `${area}/${place}`)),
    );
    const answers = await Promise.all(
      names.map((name) => go.ask({ spec: `TZ=${name} 0 0 * * *`, zone: 'UTC', from: 0, count: 1 })),
    );
    expect(names.filter((_, index) => answers[index]?.rejected === true)).toEqual([]);
  });
});
