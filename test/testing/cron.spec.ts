import { Injectable } from '@nestjs/common';
import { Cron } from '../../lib/index.js';
import { appWith, closeApps } from './app-under-test.js';

afterEach(closeApps);

@Injectable()
class Nightly {
  @Cron('0 2 * * *', { timeZone: 'Europe/Berlin' })
  backup(): void {}
}

describe('a nightly schedule under the kit', () => {
  it('fires for a month of nights, the one with the change of the clocks included', async () => {
    const { kit } = await appWith([Nightly], { testing: { now: '2026-03-15T12:00:00Z' } });
    const runs = await kit.advance('31d');
    expect(runs.map(({ outcome }) => outcome)).toEqual(Array<string>(runs.length).fill('completed'));
    const times = runs.map(({ at }) => at.toISOString());
    expect(times.slice(0, 2)).toEqual(['2026-03-16T01:00:00.000Z', '2026-03-17T01:00:00.000Z']);
    expect(times.at(-1)).toBe('2026-04-15T00:00:00.000Z');
    // At 2 o'clock of 29 March there is no 2 o'clock.
    expect(times.filter((time) => time.startsWith('2026-03-29'))).toEqual([]);
    expect(runs).toHaveLength(30);
    expect(kit.enqueued()).toHaveLength(30);
  });

  it('makes up for a tick that came while the broker was down as soon as it is back', async () => {
    const { kit } = await appWith([Nightly], { testing: { now: '2026-03-15T00:30:00Z' } });
    kit.brokerDown('1h');
    const runs = await kit.advance('2h');
    expect(runs.map(({ at }) => at.toISOString())).toEqual(['2026-03-15T01:30:00.000Z']);
  });

  it('is refused for an invalid time zone, as outside of tests', async () => {
    @Injectable()
    class Abbreviated {
      @Cron('0 2 * * *', { timeZone: 'BST' })
      backup(): void {}
    }
    await expect(appWith([Abbreviated])).rejects.toThrow(`got "BST"; did you mean 'Europe/London'?`);
  });
});
