import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { AsynqServer, BrokerCommandError } from 'nestjs-asynq/core';
import { openStorage } from '../support/storage.js';
import { type DrillContext, must, until } from './drill-context.js';
import { enqueueHeld, HeldRuns, isAnnouncedOnce, isStored, runningOf, storedOf } from './held-runs.js';

const perEnding = 10;
/** Longer than a lease by far: nobody could keep it without extending. */
const longestMs = 60_000;
const fullMs = 50_000;
const recoveryMs = 40_000;

/**
 * Redis has no memory left for most of a minute (`noeviction`), while two workers run: no task runs twice, however long
 * its handler takes, outcomes are stored meanwhile, and both workers stay visible.
 */
export async function full({ verdict, random, atEnd }: DrillContext): Promise<void> {
  const { own, redis, client } = await openStorage(
    { atEnd },
    { args: ['--maxmemory', '8mb', '--maxmemory-policy', 'noeviction'] },
  );
  const runs = new HeldRuns();
  const checks: Promise<boolean>[] = [];
  for (let count = 0; count < 2; count += 1) {
    const server = new AsynqServer({ redis: own.url, concurrency: 1_000, retryDelay: () => '1h' });
    atEnd(() => server.shutdown());
    runs.listen(server, (id) => void checks.push(isStored(redis, id)));
    await server.start(runs.mux);
  }
  const [longest, ...others] = await enqueueHeld(client, 'full', perEnding);
  if (longest === undefined) throw new Error('No task was enqueued');
  await must('the tasks run', () => others.every((id) => runs.begun.has(id)) && runs.begun.has(longest));

  const begun = performance.now();
  const filler = new AbortController();
  const filling = keepFull(redis, filler.signal);
  let refused = 0;
  const enqueuing = (async (): Promise<void> => {
    while (!filler.signal.aborted) {
      await pause(1_000);
      await client.enqueue('refused', {}, { queue: 'refused' }).catch((error: unknown) => {
        if (error instanceof BrokerCommandError) refused += 1;
        else throw error;
      });
    }
  })();
  const delays: number[] = [];
  const ending = others.map(async (id) => {
    await pause(5_000 + random() * (fullMs - 10_000));
    const told = performance.now();
    runs.end(id);
    const stored = await until(() => isStored(redis, id), 10_000);
    delays.push(stored ? performance.now() - told : Number.POSITIVE_INFINITY);
  });
  await Promise.all([...ending, pause(fullMs)]);
  const servers = await redis.zcount('asynq:servers', Math.floor(Date.now() / 1_000), '+inf');
  filler.abort();
  await Promise.all([filling, enqueuing]);
  await redis.del('filler');

  await pause(Math.max(0, longestMs - (performance.now() - begun)));
  runs.end(longest);
  await until(() => isStored(redis, longest), 10_000);
  await pause(recoveryMs);
  const ids = [longest, ...others];
  verdict.tell('enqueues refused meanwhile', refused);
  verdict.expect('workers listed afterwards', { figure: servers, bound: '2', holds: servers === 2 });
  const slowest = Math.max(...delays);
  verdict.expect(`outcomes of ${others.length} runs stored meanwhile, the slowest within`, {
    figure: `${(slowest / 1_000).toFixed(2)} s`,
    bound: '1 s',
    holds: slowest <= 1_000,
  });
  const stored = await storedOf(redis, ids);
  verdict.expect('outcomes stored', {
    figure: stored.length,
    bound: `all ${ids.length}`,
    holds: stored.length === ids.length,
  });
  verdict.expectNone('tasks that ran more than once', [...runs.begun.values()].filter((times) => times !== 1).length);
  verdict.expectNone('outcomes not announced, or not once', ids.filter((id) => !isAnnouncedOnce(runs, id)).length);
  verdict.expectNone('announced and not stored', (await Promise.all(checks)).filter((one) => !one).length);
  verdict.expectNone('tasks still marked as running', (await runningOf(redis)).length);
}

/** Takes every byte that becomes free. */
async function keepFull(redis: Redis, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const size of [100_000, 1_000, 10]) {
      while (await redis.rpush('filler', 'x'.repeat(size)).then(() => true, isNotFull));
    }
    await pause(10);
  }
}

function isNotFull(error: Error): false {
  if (error.message.startsWith('OOM')) return false;
  throw error;
}
