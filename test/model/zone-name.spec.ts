import { zoneNames } from '../../lib/model/cron/generated/zone-names.js';
import { parseCronSpec } from '../../lib/model/cron/cron-spec.js';
import { zoneFault } from '../../lib/model/cron/zone-name.js';

describe('S-143 a time zone', () => {
  it.each([
    ['BST', 'Europe/London'],
    ['IST', 'Asia/Kolkata'],
    ['PST', 'America/Los_Angeles'],
    ['pst', 'America/Los_Angeles'],
    ['CST', 'America/Chicago'],
    ['CEST', 'Europe/Berlin'],
    ['europe/berlin', 'Europe/Berlin'],
    ['EUROPE/BERLIN', 'Europe/Berlin'],
    ['Europe/Berln', 'Europe/Berlin'],
    ['Berlin', 'Europe/Berlin'],
    ['New York', 'America/New_York'],
    ['America/New York', 'America/New_York'],
    ['Ushuaia', 'America/Argentina/Ushuaia'],
    ['US/Pacific-New', 'US/Pacific'],
    ['utc', 'UTC'],
    ['Z', 'UTC'],
    ['est', 'EST'],
    ['GMT+7', 'Etc/GMT-7'],
    ['UTC-05:00', 'Etc/GMT+5'],
    ['+07:00', 'Etc/GMT-7'],
  ])('refuses the name %s and suggests %s', (name, nearest) => {
    expect(zoneFault(name)).toBe(`must be an IANA time zone, got "${name}"; did you mean '${nearest}'?`);
    expect(zoneFault(nearest)).toBeUndefined();
  });

  it.each(['Mars', '', 'Etc/Unknown', '+05:30', 'UTC+20', 'constructor', '__proto__'])(
    'refuses the name %j without a suggestion',
    (name) => {
      expect(zoneFault(name)).toBe(`must be an IANA time zone such as 'Europe/Berlin', got ${JSON.stringify(name)}`);
    },
  );

  it.each(['UTC', 'GMT', 'EST', 'MST', 'HST', 'EST5EDT', 'CET', 'GB', 'PRC', 'Zulu', 'US/Pacific', 'Asia/Calcutta'])(
    'accepts the old name %s',
    (name) => {
      expect(parseCronSpec('0 9 * * *', { timeZone: name })).toMatchObject({ timeZone: name });
      expect(parseCronSpec(`CRON_TZ=${name} 0 9 * * *`)).toMatchObject({ timeZone: name });
    },
  );

  it('refuses the zone of the process, which differs between machines', () => {
    expect(zoneFault('Local')).toBe(
      `must be an IANA time zone such as 'Europe/Berlin', got "Local", which differs from process to process`,
    );
  });

  it('must be known to the runtime as well', () => {
    // The database's stand-in for a zone that was not set: no data of any runtime have it.
    expect(zoneNames[''].split(' ')).toContain('Factory');
    expect(zoneFault('Factory')).toBe('must be a time zone that this Node.js has data for, got "Factory"');
  });
});
