// The cron specs that record.mjs asks Go about.
// Go and each version of Node have time-zone data of their own, which agree on years that are over: governments change
// the clocks of years to come. Hence no tick in a zone that moves its clock is later than this year.
const year = 2024;
const endOfYear = Date.UTC(year + 1, 0, 1) - 1;

const yearZones = [
  'America/New_York',
  'Europe/Berlin',
  'Asia/Ho_Chi_Minh',
  'Asia/Kolkata',
  'Australia/Sydney',
  // Half an hour of daylight saving, and days without a midnight.
  'Australia/Lord_Howe',
  'America/Havana',
];
const yearSpecs = [
  '*/4 * * * *',
  '*/5 * * * *',
  '7,37 * * * *',
  '0 * * * *',
  '30 * * * *',
  '15 */2 * * *',
  '0 0 * * *',
  '@daily',
  '30 0 * * *',
  '30 1 * * *',
  '15,45 2 * * *',
  '30 2 * * sun',
  '0 3 * * *',
  '0 9-17 * * mon-fri',
  '0 12 1,15 * 1',
  '0 12 */2 * 1',
  '30 23 * * 6',
  '0 0 29-31 * *',
  '45 4 1 */3 ?',
  '@monthly',
];

const randomZones = [
  'UTC',
  ...yearZones,
  'Africa/Cairo',
  'Africa/Casablanca',
  'America/Sao_Paulo',
  'America/Santiago',
  'America/St_Johns',
  'Antarctica/Troll',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Tokyo',
  'Atlantic/Azores',
  'Europe/London',
  'Pacific/Auckland',
  'Pacific/Chatham',
];

const rejected = [
  '',
  ' ',
  '*',
  '* * * *',
  '* * * * * * *',
  '60 * * * *',
  '0 24 * * *',
  '0 0 0 * *',
  '0 0 32 * *',
  '0 0 1 0 *',
  '0 0 1 13 *',
  '0 0 * * 7',
  '0 0 * * 5-1',
  '0 0 * * sat-sun',
  '0 0 * * sunday',
  '0 0 L * *',
  '0 0 15W * *',
  '0 0 * * 5#2',
  '0 0 * * 5L',
  '0 0 * foo *',
  'jan * * * *',
  '0 0 mon * *',
  '0 0 * sun *',
  'H * * * *',
  '*/0 * * * *',
  '*/-1 * * * *',
  '*/x * * * *',
  '*/ * * * *',
  '/5 * * * *',
  '1-2-3 * * * *',
  '1/2/3 * * * *',
  '*/2/3 * * * *',
  '-1 * * * *',
  '1- * * * *',
  '1-/2 * * * *',
  '5/2-3 * * * *',
  '1.5 * * * *',
  '0x1 * * * *',
  '1_0 * * * *',
  '++1 * * * *',
  '1..5 * * * *',
  '** * * * *',
  '*5 * * * *',
  '5* * * * *',
  '1;2 * * * *',
  '*/9223372036854775808 * * * *',
  '1,60 * * * *',
  '0 0 1-40 * *',
  '٣ * * * *',
  '\uFEFF0 * * * *',
  '@',
  '@Daily',
  ' @daily',
  '@daily ',
  '@reboot',
  '@minutely',
  '@weekdays',
  '@every',
  '@every ',
  '@every 5',
  '@every 1d',
  '@every 1h 30m',
  '@every  1h',
  '@every h',
  '@every .s',
  '@every 2562048h',
  '@EVERY 1h',
  '@every\t1h',
  'CRON_TZ=Nowhere/City 0 0 * * *',
  'TZ=UTC',
  'CRON_TZ=',
  'TZ=UTC ',
  'TZ=UTC\t0 0 * * *',
  'tz=UTC 0 0 * * *',
  ' TZ=UTC 0 0 * * *',
  'TZ=UTC TZ=UTC 0 0 * * *',
  'TZ=+07:00 0 0 * * *',
  'TZ=BST 0 0 * * *',
  'TZ=IST 0 0 * * *',
  'TZ=PST 0 0 * * *',
  'TZ=CST 0 0 * * *',
  'TZ=CEST 0 0 * * *',
  'TZ=Z 0 0 * * *',
  'TZ=utc 0 0 * * *',
  'TZ=gmt 0 0 * * *',
  'TZ=UTC+7 0 0 * * *',
  'TZ=europe/berlin 0 0 * * *',
  'CRON_TZ=EUROPE/BERLIN 0 0 * * *',
  'TZ=Europe 0 0 * * *',
  'TZ=Berlin 0 0 * * *',
  'TZ=Etc/Unknown 0 0 * * *',
  'TZ=US/Pacific-New 0 0 * * *',
  'TZ=UTC * * * *',
  'TZ=UTC @Daily',
];

// Odd ones that are accepted, each with what makes it odd.
const accepted = [
  '1,,2 * * * *',
  ',1, * * * *',
  ', * * * *',
  '0 0 , * *',
  '*-5 * * * *',
  '?-x/20 * * * *',
  '*-1-2/30 * * * *',
  '+5 * * * *',
  '007 * * * *',
  '*/+7 * * * *',
  '*/9223372036854775807 * * * *',
  '*,5 * * * *',
  '1-5,3 * * * *',
  '0 0 * * 1/3',
  '0 0 * JAN,mAr Mon-FRI',
  '0 0 ? ? ?',
  '0 0 * feb/3 tue/2',
  '0 0 31 2 *',
  '0 0 30 2 mon',
  '0 12 */1 * 1',
  '0 12 1-31 * 1',
  '0 12 1 * */2',
  '0 12 *,5 * 1',
  '0 12 */2,* * 1',
  '0 0 29 2 *',
  '0 0 29 2 ?',
  '  0\t0 \v* *   * ',
  '0\u00a00\u2003*\u0085* *',
  'TZ= 0 9 * * *',
  'CRON_TZ=  0 9 * * *',
  'TZ=Asia/Tokyo   @daily  ',
  '@yearly',
  '@annually',
  '@monthly',
  '@weekly',
  '@daily',
  '@midnight',
  '@hourly',
  'TZ=EST 0 9 * * *',
  'TZ=MST 0 9 * * *',
  'TZ=HST 0 9 * * *',
  'TZ=EST5EDT 0 9 * * *',
  'TZ=CET 0 9 * * *',
  'TZ=GMT0 0 9 * * *',
  'TZ=GB 0 9 * * *',
  'TZ=US/Pacific 0 9 * * *',
  'TZ=Etc/GMT-7 0 9 * * *',
  'TZ=Zulu 0 9 * * *',
  'TZ=PRC 0 9 * * *',
  'TZ=Asia/Calcutta 0 9 * * *',
  'TZ=America/Argentina/ComodRivadavia 0 9 * * *',
  'TZ=Asia/Tokyo @every 90s',
  '@every 30s',
  '@every 1500ms',
  '@every -5s',
  '@every 0',
  '@every 1h30m',
  '@every +1.5h',
  '@every 999ms',
  '@every 2562047h',
  '30 5 2-8/3 * * *',
  '0 30 1 * * *',
  '*/20 59 23 31 12 ?',
  '15 0 0 29 2 *',
  '10,5,5 * * * * sun',
];

/** Ticks of a year, whole or summed up by month. */
export const years = yearZones.flatMap((zone) =>
  yearSpecs.map((spec) => ({ spec, zone, from: Date.UTC(year, 0, 1) - 1, until: endOfYear })),
);

/** Specs that are refused. */
export const refusals = rejected.map((spec) => ({ spec, zone: 'UTC', from: Date.UTC(year, 0, 1), count: 1 }));

/** Odd but accepted specs and 300 random ones, with their next five ticks, up to the end of the year in zones. */
export const nexts = [
  ...accepted.map((spec) => ({ spec, zone: 'UTC', from: Date.UTC(year, 4, 14, 10, 16, 0, 700), count: 5 })),
  ...randomSpecs(300),
];

function randomSpecs(count) {
  const random = mulberry32(20_240_101);
  const below = (limit) => Math.floor(random() * limit);
  const pick = (list) => list[below(list.length)];
  const item = ([min, max, names]) => {
    const value = () => min + below(max - min + 1);
    const show = (number) =>
      names && random() < 0.3 ? pick([names[number - min], names[number - min].toUpperCase()]) : number;
    const step = () => 1 + below(max - min + 3);
    const [low, high] = [value(), value()].sort((a, b) => a - b);
    return pick([
      () => `${show(low)}`,
      () => `${show(low)}`,
      () => `${show(low)}-${show(high)}`,
      () => `${show(low)}-${show(high)}/${step()}`,
      () => `${show(low)}/${step()}`,
      () => `${pick(['*', '?'])}/${step()}`,
    ])();
  };
  const field = (kind, open) =>
    random() < open
      ? pick(['*', '*', '*', '?', '*/1'])
      : Array.from({ length: 1 + below(3) }, () => item(kind)).join(',');
  const kinds = [
    [[0, 59], 0.2],
    [[0, 59], 0.2],
    [[0, 23], 0.3],
    [[1, 31], 0.5],
    [[1, 12, ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']], 0.6],
    [[0, 6, ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']], 0.5],
  ];
  return Array.from({ length: count }, (_, index) => {
    const fields = kinds.slice(index % 6 === 0 ? 0 : 1).map(([kind, open]) => field(kind, open));
    const prefix = random() < 0.2 ? `${pick(['TZ', 'CRON_TZ'])}=${pick(randomZones)} ` : '';
    const from = Date.UTC(year - 2, 0, 1) + below(2 * 365 * 86_400) * 1_000 + below(1_000);
    return { spec: prefix + fields.join(' '), zone: pick(randomZones), from, until: endOfYear, count: 5 };
  });
}

function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
