// A scheduler in a process of its own; its settings are its first message.
import { AsynqScheduler, type Clock, type EpochMs, type Ms } from 'nestjs-asynq/core';
import type { FromScheduler, SchedulerSettings } from './scheduler-messages.js';

const { redis, queue, clockOff, specs } = await new Promise<SchedulerSettings>((resolve) => {
  process.once('message', resolve);
});

const clock: Clock = {
  now: () => (Date.now() + clockOff) as EpochMs,
  monotonic: () => performance.now() as Ms,
  setTimer: (delay: Ms, run: () => void) => {
    const timer = setTimeout(run, Math.max(0, delay));
    return { cancel: () => clearTimeout(timer) };
  },
};

const begun = performance.now();
const scheduler = new AsynqScheduler({ redis, clock, defaults: { queue } });
for (const [index, spec] of specs.entries()) scheduler.register(spec, 'drill', { index });
await scheduler.start();
const startMs = performance.now() - begun;
await scheduler.ping();

function send(kind: FromScheduler['kind']): void {
  const { user, system } = process.cpuUsage();
  process.send?.({ kind, startMs, cpuMicros: user + system } satisfies FromScheduler);
}

process.on('message', () => send('usage'));
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => void scheduler.shutdown().then(() => process.exit()));
send('ready');
