// What it costs to read cron specs and to find their next ticks, beside cron-parser doing both:
//   npm run build && node bench/micro/cron.mjs
import { CronExpressionParser } from 'cron-parser';
import { nextTick } from '../../dist/model/cron/cron-next.js';
import { parseCronSpec } from '../../dist/model/cron/cron-spec.js';

const count = 10_000;
const start = Date.UTC(2026, 4, 14, 10, 16, 23);
const zones = ['UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Ho_Chi_Minh', 'Australia/Lord_Howe'];

const kinds = {
  'every minute': () => '* * * * *',
  'once a day': (index) => `${index % 60} ${index % 24} * * *`,
  'work days': (index) => `${index % 60} ${index % 24} * * mon-fri`,
  'once a year': (index) => `${index % 60} 12 ${(index % 28) + 1} ${(index % 12) + 1} *`,
  'on leap days': (index) => `${index % 60} 12 29 2 *`,
};

function measure(name, run) {
  const begin = performance.now();
  run();
  const took = performance.now() - begin;
  console.log(
    `  ${name.padEnd(24)} ${((took * 1_000) / count).toFixed(2).padStart(8)} µs each, ${took.toFixed(0)} ms in total`,
  );
}

for (const [kind, write] of Object.entries(kinds)) {
  const specs = Array.from({ length: count }, (_, index) => ({
    spec: write(index),
    timeZone: zones[index % zones.length],
  }));
  console.log(`${count} schedules, ${kind}`);
  let schedules = [];
  measure('read', () => (schedules = specs.map(({ spec, timeZone }) => parseCronSpec(spec, { timeZone }))));
  measure('next tick', () => schedules.forEach((schedule) => nextTick(schedule, start)));
  measure('next tick, once more', () => schedules.forEach((schedule) => nextTick(schedule, start)));
  let expressions = [];
  const options = (timeZone) => ({ tz: timeZone, currentDate: new Date(start) });
  measure('read, cron-parser', () => {
    expressions = specs.map(({ spec, timeZone }) => CronExpressionParser.parse(spec, options(timeZone)));
  });
  measure('next tick, cron-parser', () => expressions.forEach((expression) => expression.next()));
}
