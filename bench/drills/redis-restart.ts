import { AsynqClient } from 'nestjs-asynq/core';
import { startOwnRedis } from '../support/own-redis.js';
import { type DrillContext, until } from './drill-context.js';
import { WorkerProcess } from './worker-process.js';

const producers = 20;
const restarts = 3;

/** Redis is killed and started again under load, its log on disk: no task whose enqueue was confirmed is lost. */
export async function redisRestart({ verdict, random, atEnd }: DrillContext): Promise<void> {
  const redis = await startOwnRedis({ appendonly: true });
  atEnd(() => redis.stop());
  const client = new AsynqClient({ redis: redis.url });
  atEnd(() => client.close());
  const workers = await Promise.all(
    [1, 2].map(() => WorkerProcess.start({ redis: redis.url, handler: 'report', concurrency: 50 })),
  );
  for (const worker of workers) atEnd(() => worker.stop());

  const confirmed = new Set<string>();
  let refused = 0;
  const stopping = new AbortController();
  const produce = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        confirmed.add((await client.enqueue('drill', { number: random() })).id);
      } catch {
        // Nobody was promised anything: the caller knows that it has to try again.
        refused++;
      }
    }
  };
  const load = Promise.all(Array.from({ length: producers }, produce));

  for (let count = 1; count <= restarts; count++) {
    await pause(1_000 + random() * 1_000);
    const before = handledBy(workers);
    await redis.kill();
    await pause(random() * 2_000);
    await redis.start();
    const up = performance.now();
    const again = await until(() => handledBy(workers) > before + 1_000, 20_000);
    verdict.expect(`after restart ${count}, work continues`, {
      figure: `${((performance.now() - up) / 1_000).toFixed(2)} s`,
      bound: 'by itself',
      holds: again,
    });
  }
  await pause(1_000);
  stopping.abort();
  await load;

  const isHandled = (id: string): boolean => workers.some((worker) => worker.runs.has(id));
  // What was in flight when the server went is written late or recovered: at worst after a lease and two checks.
  await until(() => [...confirmed].every(isHandled), 120_000);
  const lost = [...confirmed].filter((id) => !isHandled(id));
  verdict.tell('tasks confirmed', confirmed.size);
  verdict.tell('enqueues refused while Redis was away', refused);
  verdict.expect('tasks lost', { figure: lost.length, bound: 'none', holds: lost.length === 0 });
  const total = workers.reduce((sum, { runs }) => sum + [...runs.values()].reduce((all, one) => all + one, 0), 0);
  const distinct = new Set(workers.flatMap(({ runs }) => [...runs.keys()])).size;
  verdict.tell('tasks run more than once (allowed: delivery is at-least-once)', total - distinct);
}

function handledBy(workers: readonly WorkerProcess[]): number {
  return workers.reduce((sum, { runs }) => sum + runs.size, 0);
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
