import { setTimeout as pause } from 'node:timers/promises';
import { startOwnRedis } from '../support/own-redis.js';
import type { DrillContext } from './drill-context.js';
import { SchedulerProcess } from './scheduler-process.js';

const idleMs = 10_000;
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Ho_Chi_Minh', 'Australia/Sydney'];

/** A scheduler with ten thousand entries starts quickly and costs next to nothing while none of them is due. */
export async function schedules({ verdict, tasks = 10_000, random, atEnd }: DrillContext): Promise<void> {
  const server = await startOwnRedis();
  atEnd(() => server.stop());
  const upTo = (most: number): number => Math.floor(random() * most);
  // Half a year away, so that nothing is due.
  const month = ((new Date().getUTCMonth() + 6) % 12) + 1;
  const specs = Array.from(
    { length: tasks },
    (_, index) => `CRON_TZ=${zones[index % zones.length]} ${upTo(60)} ${upTo(24)} ${1 + upTo(28)} ${month} *`,
  );
  const scheduler = await SchedulerProcess.start({ redis: server.url, queue: 'cron', clockOff: 0, specs });
  atEnd(() => scheduler.stop());
  verdict.expect(`registering and starting ${tasks.toLocaleString('en')} entries`, {
    figure: `${scheduler.startMs.toFixed(0)} ms`,
    bound: 'under 2 s',
    holds: scheduler.startMs < 2_000,
  });
  // What the start set off is over by then.
  await pause(2_000);
  const before = await scheduler.cpuMs();
  await pause(idleMs);
  const used = (await scheduler.cpuMs()) - before;
  verdict.expect('processor time in 10 s without work', {
    figure: `${used.toFixed(0)} ms, ${((100 * used) / idleMs).toFixed(1)} %`,
    bound: 'at most 2 %',
    holds: used <= idleMs / 50,
  });
}
