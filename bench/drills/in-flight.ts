import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type AsynqClient, AsynqServer } from 'nestjs-asynq/core';
import type { TcpProxy } from '../../scripts/tcp-proxy.mjs';
import { openStorage } from '../support/storage.js';
import { startProxy } from '../support/proxy.js';
import { type DrillContext, must, until } from './drill-context.js';
import { enqueueHeld, HeldRuns, isAnnouncedOnce, isStored, runningOf, storedOf } from './held-runs.js';

const outagesMs = [500, 2_000, 4_000, 8_000, 10_000];
const losses = ['outcomes', 'their answers'] as const;
const perEnding = 20;
/** A lease, and the time in which what it held would run again. */
const recoveryMs = 40_000;

interface Scene {
  readonly redis: Redis;
  readonly proxy: TcpProxy;
  readonly client: AsynqClient;
  readonly runs: HeldRuns;
}

/**
 * The network swallows outcomes that are on their way, or the answers to them, and is away for a while in which other
 * runs end: each task runs once, what is announced is stored, and everything is stored soon after the network's return.
 */
export async function inFlight({ verdict, random, atEnd }: DrillContext): Promise<void> {
  const { own, redis, client } = await openStorage({ atEnd });
  const proxy = await startProxy(own.port);
  atEnd(() => proxy.stop());
  const runs = new HeldRuns();
  const server = new AsynqServer({ redis: proxy.url, concurrency: 1_000, retryDelay: () => '1h' });
  atEnd(() => server.shutdown());
  const checks: Promise<boolean>[] = [];
  runs.listen(server, (id) => void checks.push(isStored(redis, id)));
  await server.start(runs.mux);

  const scene: Scene = { redis, proxy, client, runs };
  for (const awayMs of outagesMs) {
    for (const lost of losses) {
      const { ids, storedAfterMs } = await cutOff(scene, { awayMs, lost, random });
      verdict.expect(`${awayMs / 1_000} s away, ${lost} lost: ${ids.length} outcomes stored after its end within`, {
        figure: storedAfterMs === undefined ? 'not stored' : `${(storedAfterMs / 1_000).toFixed(2)} s`,
        bound: '1 s',
        holds: storedAfterMs !== undefined && storedAfterMs <= 1_000,
      });
    }
  }
  await pause(recoveryMs);
  const ids = [...runs.begun.keys()];
  const again = ids.filter((id) => runs.begun.get(id) !== 1).length;
  const untold = ids.filter((id) => !isAnnouncedOnce(runs, id)).length;
  const untrue = (await Promise.all(checks)).filter((stored) => !stored).length;
  const left = (await runningOf(redis)).length;
  verdict.expectNone('tasks that ran more than once', again);
  verdict.expectNone('outcomes not announced, or not once', untold);
  verdict.expectNone('announced and not stored', untrue);
  verdict.expectNone('tasks still marked as running', left);
}

/** One outage. Resolves with the milliseconds between the network's return and the last outcome's, if that came. */
async function cutOff(
  { redis, proxy, client, runs }: Scene,
  outage: {
    readonly awayMs: number;
    readonly lost: (typeof losses)[number];
    readonly random: DrillContext['random'];
  },
): Promise<{ readonly ids: readonly string[]; readonly storedAfterMs: number | undefined }> {
  const { awayMs, lost, random } = outage;
  const name = `${awayMs}ms-${losses.indexOf(lost)}`;
  const before = await enqueueHeld(client, `${name}-before`, perEnding);
  const during = await enqueueHeld(client, `${name}-during`, perEnding);
  const ids = [...before, ...during];
  await must('the tasks run', () => ids.every((id) => runs.begun.has(id)));

  if (lost === 'outcomes') proxy.holdRequests();
  else proxy.dropReplies();
  for (const id of before) runs.end(id);
  // Longer, and the worker would give up the connection as silent and send them again on a new one.
  await must(
    'the outcomes are sent',
    async () => {
      if (lost === 'outcomes') return before.every((id) => proxy.held.includes(id));
      return (await storedOf(redis, before)).length === before.length;
    },
    4_000,
  );
  proxy.cut();
  const endings = during.map(async (id) => {
    await pause(random() * awayMs);
    runs.end(id);
  });
  await Promise.all([...endings, pause(awayMs)]);

  await proxy.restore();
  const back = performance.now();
  let left: readonly string[] = ids;
  const stored = await until(async () => {
    const known = await storedOf(redis, left);
    left = left.filter((id) => !known.includes(id));
    return left.length === 0;
  }, 60_000);
  return { ids, storedAfterMs: stored ? performance.now() - back : undefined };
}
