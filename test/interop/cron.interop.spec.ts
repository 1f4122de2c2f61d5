import { type CronAnswer, recordedTicks } from './support/cron-ticks.js';
import { goBuildLimit, GoProgram } from './support/go-program.js';

describe('S-143 golden/cron-ticks.json', () => {
  let go: GoProgram<CronAnswer>;

  beforeAll(async () => {
    go = await GoProgram.start<CronAnswer>('cron');
  }, goBuildLimit);

  afterAll(async () => {
    await go.close();
  });

  it('is what Go computes', async () => {
    const records = await Promise.all(
      recordedTicks.map(async ({ answer, ...request }) => ({ answer, found: await go.ask(request) })),
    );
    expect(records.map(({ found }) => found)).toEqual(records.map(({ answer }) => answer));
  });
});
