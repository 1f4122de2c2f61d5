import { Redis } from 'ioredis';
import { AsynqClient } from 'nestjs-asynq/core';
import { startOwnRedis } from '../support/own-redis.js';
import { type DrillContext, until } from './drill-context.js';
import { WorkerProcess } from './worker-process.js';

const queues = Array.from({ length: 50 }, (_, index) => `queue-${index}`);
const types = Array.from({ length: 200 }, (_, index) => `type-${index}:`);

/** An app with 50 queues and 200 types opens no more than six connections. */
export async function connections({ verdict, atEnd }: DrillContext): Promise<void> {
  const redis = await startOwnRedis();
  atEnd(() => redis.stop());
  const observer = new Redis(redis.url);
  atEnd(() => observer.disconnect());
  const worker = await WorkerProcess.start({ redis: redis.url, handler: 'report', queues, types });
  atEnd(() => worker.stop());

  let most = 0;
  const look = async (): Promise<void> => {
    const lines = String(await observer.client('LIST'))
      .trim()
      .split('\n');
    most = Math.max(most, lines.length - 1);
  };
  await until(async () => {
    await look();
    return false;
  }, 2_000);
  verdict.expect('connections of an idle app', { figure: most, bound: 'at most 6', holds: most <= 6 });

  most = 0;
  const client = new AsynqClient({ redis: redis.url });
  await client.enqueueMany(types.map((type, index) => [type, {}, { queue: queues[index % queues.length] ?? '' }]));
  await client.close();
  const all = await until(async () => {
    await look();
    return worker.runs.size === types.length;
  }, 10_000);
  verdict.expect('types handled across all queues', { figure: worker.runs.size, bound: '200', holds: all });
  verdict.expect('connections under load', { figure: most, bound: 'at most 6, plus the producer’s', holds: most <= 7 });
}
