import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type AsynqClient, type EnqueueItem } from 'nestjs-asynq/core';
import { buildGoProgram, runGo } from '../support/go-program.js';
import { openStorage } from '../support/storage.js';
import { medianOf, percentileOf } from '../support/statistics.js';
import { type DrillContext, until } from './drill-context.js';
import type { Verdict } from './verdict.js';
import { WorkerProcess } from './worker-process.js';

const rounds = 3;
const concurrency = 10;
const loneTasks = 60;
const gapMs = 500;
/** Much longer than anything here should take. */
const limitMs = 120_000;

interface Scene {
  readonly redis: Redis;
  readonly url: string;
  readonly client: AsynqClient;
}

/** A way to work off a backlog, and how many tasks a second that makes. */
interface Variant {
  readonly name: string;
  readonly rate: () => Promise<number>;
}

/**
 * Workers that do not know the types of the waiting tasks stand beside one that does: a Go worker, where there is Go, and
 * a newer Nest worker. That one must hardly be slower for it, with a backlog and with a task now and then.
 */
export async function unknownTypes({ verdict, tasks = 5_000, atEnd }: DrillContext): Promise<void> {
  const { own, redis, client } = await openStorage({ atEnd });
  const scene: Scene = { redis, url: own.url, client };

  const go = buildGoProgram();
  if ('missing' in go) verdict.tell('a Go worker', `skipped: ${go.missing}`);
  else {
    const variant = (others: number): Variant => ({
      name: others === 0 ? 'a Go worker alone' : `the same beside ${others} Nest`,
      rate: async () => await goRate(scene, { program: go.program, others, tasks }),
    });
    await compare(verdict, variant(0), [variant(1), variant(3)]);
    for (const others of [1, 3]) {
      const waits = await goWaits(scene, { program: go.program, others });
      expectWaits(verdict, { who: `a Go worker beside ${others} Nest`, waits, boundMs: 1_500 });
    }
  }
  const deploy = (name: string, others: number, types: readonly string[] = ['new']): Variant => ({
    name,
    rate: async () => await nestRate(scene, { others, types, tasks }),
  });
  await compare(verdict, deploy('a new Nest worker alone', 0), [
    deploy('the same beside 1 old', 1),
    deploy('the same beside 3 old', 3),
    deploy('the same beside 1 old, tasks of both', 1, ['old', 'new']),
  ]);
  for (const others of [1, 3]) {
    const waits = await nestWaits(scene, others);
    expectWaits(verdict, { who: `a new Nest worker beside ${others} old`, waits, boundMs: 100 });
  }
}

/** Measures the variants in turn, several times, so that all meet the same machine. */
async function compare(verdict: Verdict, baseline: Variant, variants: readonly Variant[]): Promise<void> {
  const base: number[] = [];
  const ratios = variants.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    const alone = await baseline.rate();
    base.push(alone);
    for (const [index, { rate }] of variants.entries()) ratios[index]?.push((await rate()) / alone);
  }
  verdict.tell(`${baseline.name}, tasks per second`, medianOf(base).toFixed(0));
  for (const [index, { name }] of variants.entries()) {
    const ratio = medianOf(ratios[index] ?? []);
    verdict.expect(`${name}, as a share of that`, {
      figure: ratio.toFixed(2),
      bound: 'at least 0.80',
      holds: ratio >= 0.8,
    });
  }
}

function expectWaits(
  verdict: Verdict,
  { who, waits, boundMs }: { readonly who: string; readonly waits: readonly number[]; readonly boundMs: number },
): void {
  verdict.expect(`lone tasks run by ${who}`, {
    figure: waits.length,
    bound: `all ${loneTasks}`,
    holds: waits.length === loneTasks,
  });
  const p99 = percentileOf(waits, 0.99);
  verdict.expect('99 % of them started within', {
    figure: `${p99.toFixed(0)} ms`,
    bound: `${boundMs} ms`,
    holds: p99 <= boundMs,
  });
}

async function goRate(
  scene: Scene,
  { program, others, tasks }: { readonly program: string; readonly others: number; readonly tasks: number },
): Promise<number> {
  return await withOthers(scene, others, async () => {
    await enqueueBacklog(scene, { types: ['new'], tasks });
    const size = ['-n', String(tasks), '-concurrency', String(concurrency), '-work', '5ms'];
    const lines = await runGo(program, ['process', ...goTarget(scene), ...size], { limitMs }).catch(() => []);
    return (lines.at(-1) as { perSecond: number } | undefined)?.perSecond ?? 0;
  });
}

async function nestRate(
  scene: Scene,
  { others, types, tasks }: { readonly others: number; readonly types: readonly string[]; readonly tasks: number },
): Promise<number> {
  return await withOthers(scene, others, async (old) => {
    await enqueueBacklog(scene, { types, tasks });
    const settings = { redis: scene.url, handler: 'work', concurrency, types: ['old', 'new'] } as const;
    const worker = await WorkerProcess.start(settings);
    const handled = (): number => [worker, ...old].reduce((sum, { runs }) => sum + runs.size, 0);
    const before = handled();
    const started = performance.now();
    const done = await until(() => handled() >= tasks, limitMs);
    const took = performance.now() - started;
    await worker.stop();
    return done ? (tasks - before) / (took / 1_000) : 0;
  });
}

async function goWaits(
  scene: Scene,
  { program, others }: { readonly program: string; readonly others: number },
): Promise<readonly number[]> {
  return await withOthers(scene, others, async () => {
    const size = ['-n', String(loneTasks)];
    const produce = ['pickup', ...goTarget(scene), ...size, '-gap', `${gapMs}ms`];
    const work = ['idle', ...goTarget(scene), ...size, '-concurrency', String(concurrency)];
    const onReady = async (): Promise<unknown> => await runGo(program, produce, { limitMs });
    const lines = await runGo(program, work, { onReady, limitMs }).catch(() => []);
    return (lines.at(-1) as { millis: readonly number[] } | undefined)?.millis ?? [];
  });
}

async function nestWaits(scene: Scene, others: number): Promise<readonly number[]> {
  return await withOthers(scene, others, async () => {
    const worker = await WorkerProcess.start({ redis: scene.url, handler: 'due', concurrency, types: ['new'] });
    for (let sent = 0; sent < loneTasks; sent += 1) {
      await pause(gapMs);
      await scene.client.enqueue('new', { dueAt: Date.now() });
    }
    await until(() => worker.runs.size === loneTasks, 10_000);
    await worker.stop();
    return worker.lateness;
  });
}

/** Does something beside so many workers that know the type `old` only. */
async function withOthers<T>(
  { redis, url }: Scene,
  others: number,
  measure: (old: readonly WorkerProcess[]) => Promise<T>,
): Promise<T> {
  await redis.flushall();
  const settings = { redis: url, handler: 'work', concurrency, types: ['old'] } as const;
  const old = await Promise.all(Array.from({ length: others }, () => WorkerProcess.start(settings)));
  try {
    return await measure(old);
  } finally {
    await Promise.all(old.map((worker) => worker.stop()));
  }
}

/** Stores tasks of these types in turn, and gives those who do not know them the time to find out. */
async function enqueueBacklog(
  { client }: Scene,
  { types, tasks }: { readonly types: readonly string[]; readonly tasks: number },
): Promise<void> {
  const items = Array.from({ length: tasks }, (_, n): EnqueueItem => [types[n % types.length] ?? '', { n }]);
  const refused = (await client.enqueueMany(items)).filter(({ status }) => status === 'rejected');
  if (refused.length > 0) throw new Error(`${refused.length} tasks were not enqueued`);
  await pause(1_000);
}

function goTarget({ url }: Scene): readonly string[] {
  return ['-redis', url, '-queue', 'default'];
}
