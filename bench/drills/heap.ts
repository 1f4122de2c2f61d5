import { AsynqClient } from 'nestjs-asynq/core';
import { startOwnRedis } from '../support/own-redis.js';
import { type DrillContext, until } from './drill-context.js';
import { WorkerProcess } from './worker-process.js';

const chunk = 1_000;
const waitingAtMost = 20_000;

/** A worker that handled a million tasks has no more heap than after a hundred thousand. */
export async function heap({ verdict, tasks = 1_000_000, atEnd }: DrillContext): Promise<void> {
  const redis = await startOwnRedis();
  atEnd(() => redis.stop());
  const client = new AsynqClient({ redis: redis.url });
  atEnd(() => client.close());
  const worker = await WorkerProcess.start({ redis: redis.url, handler: 'count' });
  atEnd(() => worker.stop());

  let enqueued = 0;
  const handle = async (total: number): Promise<number> => {
    for (; enqueued < total; enqueued += chunk) {
      await client.enqueueMany(Array.from({ length: chunk }, (_, index) => ['drill', { number: enqueued + index }]));
      if (enqueued % waitingAtMost === 0) {
        await until(async () => (await worker.usage()).handled > enqueued - waitingAtMost, 60_000);
      }
    }
    await until(async () => (await worker.usage()).handled >= total, 60_000);
    const { handled, heapBytes } = await worker.usage('collect');
    if (handled < total) throw new Error(`Only ${handled} of ${total} tasks were handled within a minute`);
    verdict.tell(`heap after ${handled.toLocaleString('en')} tasks`, megabytes(heapBytes));
    return heapBytes;
  };

  const first = await handle(tasks / 10);
  let last = first;
  for (let tenth = 2; tenth <= 10; tenth++) last = await handle((tasks / 10) * tenth);
  // A collection never leaves exactly the same heap twice: half a byte a task is noise, a leak is a hundred times that.
  const noise = tasks / 2;
  verdict.expect('growth of the heap', {
    figure: megabytes(last - first),
    bound: `at most ${megabytes(noise)}`,
    holds: last - first <= noise,
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(2)} MB`;
}
