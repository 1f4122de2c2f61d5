import { AsynqClient, type EnqueueItem } from 'nestjs-asynq/core';
import { startOwnRedis } from '../support/own-redis.js';
import { percentileOf } from '../support/statistics.js';
import { type DrillContext, until } from './drill-context.js';
import { WorkerProcess } from './worker-process.js';

const leadMs = 3_000;

/** Tasks with random due times: none starts early, 99 % start within 50 ms of their time. */
export async function due({ verdict, random, minutes = 1, tasks = 10_000, atEnd }: DrillContext): Promise<void> {
  const redis = await startOwnRedis();
  atEnd(() => redis.stop());
  const client = new AsynqClient({ redis: redis.url });
  atEnd(() => client.close());
  const worker = await WorkerProcess.start({ redis: redis.url, handler: 'due' });
  atEnd(() => worker.stop());

  const start = Date.now() + leadMs;
  const items = Array.from({ length: tasks }, (): EnqueueItem => {
    const dueAt = start + Math.floor(random() * minutes * 60_000);
    return ['drill', { dueAt }, { processAt: new Date(dueAt) }];
  });
  await client.enqueueMany(items);
  verdict.tell('due times', `${tasks.toLocaleString('en')}, spread over ${minutes} min`);
  await until(() => worker.lateness.length >= tasks, leadMs + minutes * 60_000 + 10_000);

  const { lateness } = worker;
  verdict.expect('tasks started', { figure: lateness.length, bound: String(tasks), holds: lateness.length === tasks });
  const early = lateness.filter((late) => late < 0).length;
  verdict.expect('started early', { figure: early, bound: 'none', holds: early === 0 });
  for (const share of [0.5, 0.9, 0.999, 1])
    verdict.tell(`${share * 100} % within`, `${percentileOf(lateness, share)} ms`);
  const within = percentileOf(lateness, 0.99);
  verdict.expect('99 % within', { figure: `${within} ms`, bound: '50 ms', holds: within <= 50 });
}
