import { AsynqClient } from 'nestjs-asynq/core';
import { startOwnRedis } from '../support/own-redis.js';
import { percentileOf } from '../support/statistics.js';
import { type DrillContext, until } from './drill-context.js';
import { WorkerProcess } from './worker-process.js';

const leaseMs = 30_000;
const graceMs = 10_000;

/** Tasks in flight on a worker that is killed are all handled by another one within lease + 10 s. */
export async function kill9({ verdict, tasks = 100, atEnd }: DrillContext): Promise<void> {
  const redis = await startOwnRedis();
  atEnd(() => redis.stop());
  const client = new AsynqClient({ redis: redis.url });
  atEnd(() => client.close());

  const victim = await WorkerProcess.start({ redis: redis.url, handler: 'hang', concurrency: tasks });
  atEnd(() => victim.kill());
  await client.enqueueMany(Array.from({ length: tasks }, (_, index) => ['drill', { index }]));
  await until(() => victim.runs.size === tasks, 10_000);
  verdict.tell('tasks in flight', victim.runs.size);

  const heir = await WorkerProcess.start({ redis: redis.url, handler: 'report', concurrency: tasks });
  atEnd(() => heir.stop());
  victim.kill();
  const killed = performance.now();

  const waits: number[] = [];
  const limit = leaseMs + graceMs + 30_000;
  await until(() => {
    while (waits.length < heir.runs.size) waits.push(performance.now() - killed);
    return heir.runs.size >= tasks;
  }, limit);
  const missing = [...victim.runs.keys()].filter((id) => !heir.runs.has(id));
  verdict.expect('tasks lost', { figure: missing.length, bound: 'none', holds: missing.length === 0 });
  verdict.tell('half of them were handled after', seconds(percentileOf(waits, 0.5)));
  verdict.expect('the last was handled after', {
    figure: seconds(waits.at(-1) ?? Number.POSITIVE_INFINITY),
    bound: `lease + 10 s, ${seconds(leaseMs + graceMs)}`,
    holds: waits.length === tasks && (waits.at(-1) ?? 0) <= leaseMs + graceMs,
  });
  const repeated = [...heir.runs.values()].filter((runs) => runs > 1).length;
  verdict.expect('tasks handled twice', { figure: repeated, bound: 'none', holds: repeated === 0 });
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
