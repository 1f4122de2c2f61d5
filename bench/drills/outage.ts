import { AsynqClient } from 'nestjs-asynq/core';
import { startOwnRedis } from '../support/own-redis.js';
import { type DrillContext, until } from './drill-context.js';
import { inFlight } from './in-flight.js';
import { WorkerProcess } from './worker-process.js';

/** Redis is away, for seconds with outcomes in flight, then for minutes. */
export async function outage(context: DrillContext): Promise<void> {
  await inFlight(context);
  await minutesAway(context);
}

/** Redis is away for minutes: the worker costs next to nothing, hardly logs, and is back within two seconds. */
async function minutesAway({ verdict, minutes = 5, atEnd }: DrillContext): Promise<void> {
  const redis = await startOwnRedis();
  atEnd(() => redis.stop());
  const worker = await WorkerProcess.start({ redis: redis.url, handler: 'report' });
  atEnd(() => worker.stop());
  await enqueueOne(redis.url);
  await until(() => worker.runs.size === 1, 5_000);

  const lines = worker.logLines;
  await redis.kill();
  const before = await worker.usage();
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, minutes * 60_000));
  const elapsed = performance.now() - start;
  const after = await worker.usage();

  const cpu = ((after.cpuMicros - before.cpuMicros) / 1_000 / elapsed) * 100;
  verdict.expect('processor time while Redis was away', {
    figure: `${cpu.toFixed(2)} %`,
    bound: 'under 2 %',
    holds: cpu < 2,
  });
  const rate = (worker.logLines - lines) / (elapsed / 1_000);
  verdict.expect('log lines', { figure: `${rate.toFixed(3)}/s`, bound: 'under 1/s', holds: rate < 1 });

  await redis.start();
  const up = performance.now();
  await enqueueOne(redis.url);
  const back = await until(() => worker.runs.size === 2, 30_000);
  const delay = (performance.now() - up) / 1_000;
  verdict.expect('time from the return of Redis to a handled task', {
    figure: `${delay.toFixed(2)} s`,
    bound: 'within 2 s',
    holds: back && delay <= 2,
  });
}

async function enqueueOne(redis: string): Promise<void> {
  const client = new AsynqClient({ redis });
  await client.enqueue('drill');
  await client.close();
}
