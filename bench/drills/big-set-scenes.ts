import type { Redis } from 'ioredis';
import { type AsynqClient, AsynqServer, type AsynqServerOptions, type EnqueueItem, TaskMux } from 'nestjs-asynq/core';
import type { TaskFiller } from '../support/task-filler.js';
import { must } from './drill-context.js';

/** What a scene plays on. */
export interface BigSetStage {
  readonly redis: Redis;
  readonly client: AsynqClient;
  readonly filler: TaskFiller;
  readonly url: string;
  /** Members of the largest sets; a fifth of it is large, too. */
  readonly large: number;
  /** To be called when the sets are filled: what was slow before does not count. */
  readonly begin: () => Promise<void>;
}

const queue = 'drill';
const prefix = `asynq:{${queue}}:`;
const limitMs = 180_000;
const enqueuedAtOnce = 10_000;

/** One set each, from filled to gone. */
export const scenes: Readonly<Record<string, (stage: BigSetStage) => Promise<void>>> = {
  archived,
  'archived-long-ago': archivedLongAgo,
  due,
  'due-left-behind': dueLeftBehind,
  group,
  'set-left-behind': setLeftBehind,
  'many-groups': manyGroups,
  completed,
  locks,
  running,
};

/** Others have let the archive grow: one more is archived, then a thousand, and the janitor does the rest. */
async function archived(stage: BigSetStage): Promise<void> {
  const { redis, client, filler, large } = stage;
  const count = large / 5;
  await filler.store({ queue, count, state: 'archived', places: { archived: nowSeconds() - 3_600 }, locked: true });
  await stage.begin();
  await withServer(stage, {}, async () => {
    await client.enqueue('fail', {}, { queue, maxRetry: 0 });
    await client.enqueueMany(itemsOf(1_000, { type: 'fail', maxRetry: 0 }));
    await must(
      'the archive is as large as it may be',
      async () => (await redis.zcard(`${prefix}archived`)) < 10_000,
      limitMs,
    );
  });
}

/** Nothing was archived for three months. */
async function archivedLongAgo(stage: BigSetStage): Promise<void> {
  const { redis, client, filler, large } = stage;
  const longAgo = nowSeconds() - 100 * 86_400;
  await filler.store({ queue, count: large / 5, state: 'archived', places: { archived: longAgo } });
  await stage.begin();
  await withServer(stage, {}, async () => {
    await client.enqueue('fail', {}, { queue, maxRetry: 0 });
    await must(
      'the archive is as large as it may be',
      async () => (await redis.zcard(`${prefix}archived`)) < 10_000,
      limitMs,
    );
  });
}

/** All are due in the same second, half of them at whole seconds. */
async function due(stage: BigSetStage): Promise<void> {
  const { redis, client, large } = stage;
  const dueAt = Math.ceil(Date.now() / 1_000) * 1_000 + large / 25;
  await stage.begin();
  for (let first = 0; first < large; first += enqueuedAtOnce) {
    const processAt = new Date((first / enqueuedAtOnce) % 2 === 0 ? dueAt : dueAt - 500);
    await client.enqueueMany(itemsOf(enqueuedAtOnce, { processAt }));
  }
  await must('they are due', () => Date.now() > dueAt, limitMs);
  await withServer(stage, {}, async (handled) => {
    await must('all are handled', () => handled() >= large, limitMs);
    await must('none is left', async () => (await redis.zcard(`${prefix}x:due`)) === 0, limitMs);
  });
}

/** Another program has deleted the scheduled tasks, not their exact times. */
async function dueLeftBehind(stage: BigSetStage): Promise<void> {
  const { client, filler, large } = stage;
  const now = Date.now();
  await filler.store({ queue, count: large / 2, state: undefined, places: { 'x:due': now - 3_600_500 } });
  await filler.store({ queue, count: large, state: undefined, places: { 'x:due': now + 3_500 } });
  await stage.begin();
  await withServer(stage, {}, async (handled) => {
    await client.enqueueMany(itemsOf(1_000, { processAt: new Date(now + 2_001) }));
    await client.enqueueMany(itemsOf(1_000, { processAt: new Date(now + 5_001) }));
    await must('the others are handled', () => handled() >= 2_000, limitMs);
  });
}

/** A group of a fifth of the tasks, with payloads of a kilobyte and locks. */
async function group(stage: BigSetStage): Promise<void> {
  const { redis, client, large } = stage;
  const count = large / 5;
  await stage.begin();
  const text = 'x'.repeat(1_000);
  for (let first = 0; first < count; first += enqueuedAtOnce) {
    await client.enqueueMany(itemsOf(enqueuedAtOnce, { first, text, group: 'one', unique: '1h' }));
  }
  await aggregateAll(stage, async () => (await redis.exists(`${prefix}g:one`)) === 0);
}

/** A program without limits has collected them all and died. */
async function setLeftBehind(stage: BigSetStage): Promise<void> {
  const { redis, filler, large } = stage;
  const fields = { group: 'one' };
  const places = { 'g:one:left': nowSeconds() - 600 };
  await filler.store({ queue, count: large / 5, state: 'aggregating', places, fields }, 1_000);
  await redis.zadd(`${prefix}aggregation_sets`, nowSeconds() - 300, `${prefix}g:one:left`);
  await stage.begin();
  await aggregateAll(stage, async () => (await redis.exists(`${prefix}g:one:left`, `${prefix}g:one`)) === 0);
}

/** Each task is alone in its group. */
async function manyGroups(stage: BigSetStage): Promise<void> {
  const { redis, client, large } = stage;
  const count = large / 20;
  await stage.begin();
  for (let first = 0; first < count; first += enqueuedAtOnce) {
    await client.enqueueMany(itemsOf(enqueuedAtOnce, { first, group: 'many' }));
  }
  await aggregateAll(stage, async () => (await redis.scard(`${prefix}groups`)) === 0);
}

/** The retention of all ends at the same time. */
async function completed(stage: BigSetStage): Promise<void> {
  const { redis, filler, large } = stage;
  const fields = { result: 'x'.repeat(100) };
  await filler.store({ queue, count: large, state: 'completed', places: { completed: nowSeconds() - 1 }, fields });
  await stage.begin();
  await withServer(stage, {}, async () => {
    await must('all are deleted', async () => (await redis.zcard(`${prefix}completed`)) === 0, limitMs);
  });
}

/** Locks whose tasks are gone: some are taken over, the others are found and freed. */
async function locks(stage: BigSetStage): Promise<void> {
  const { client, filler, large } = stage;
  await filler.store({ queue, count: large / 5, state: undefined, places: {}, locked: true });
  await stage.begin();
  await withServer(stage, {}, async (handled) => {
    for (let first = 0; first < large / 5; first += enqueuedAtOnce) {
      await client.enqueueMany(itemsOf(enqueuedAtOnce, { first, unique: '1h' }));
    }
    await must('all are handled', () => handled() >= large / 5, limitMs);
    await pass(20_000);
  });
}

/** As many handlers run as tasks there are. */
async function running(stage: BigSetStage): Promise<void> {
  const { client, large } = stage;
  const concurrency = large / 100;
  await stage.begin();
  await client.enqueueMany(itemsOf(concurrency, { type: 'wait', text: 'x'.repeat(1_000) }));
  await withServer(stage, { concurrency }, async (handled) => {
    await must('all are handled', () => handled() >= concurrency, limitMs);
  });
}

async function withServer(
  { url }: BigSetStage,
  options: Partial<AsynqServerOptions>,
  play: (handled: () => number) => Promise<void>,
): Promise<void> {
  let handled = 0;
  const count = (): void => void handled++;
  const mux = new TaskMux();
  mux.handle('drill', count);
  mux.handle('fail', () => {
    count();
    throw new Error('as expected');
  });
  mux.handle('wait', async () => {
    await pass(12_000);
    count();
  });
  const server = new AsynqServer({
    redis: url,
    queues: { [queue]: 1 },
    concurrency: 500,
    janitorInterval: '1s',
    ...options,
  });
  await server.start(mux);
  try {
    await play(() => handled);
  } finally {
    await server.shutdown();
  }
}

async function aggregateAll(stage: BigSetStage, isGone: () => Promise<boolean>): Promise<void> {
  const options: Partial<AsynqServerOptions> = {
    groupGracePeriod: '1s',
    groupConcurrency: 4,
    aggregator: ({ tasks }) => ['drill', { members: tasks.length }],
  };
  await withServer(stage, options, async () => {
    await must('all are aggregated', isGone, limitMs);
    const sets = `${prefix}aggregation_sets`;
    await must('all sets are gone', async () => (await stage.redis.zcard(sets)) === 0, limitMs);
  });
}

interface ItemsOf {
  readonly type?: string;
  readonly first?: number;
  readonly text?: string;
  readonly maxRetry?: number;
  readonly processAt?: Date;
  readonly unique?: '1h';
  /** `many` for a group each. */
  readonly group?: 'one' | 'many';
}

function itemsOf(
  count: number,
  { type = 'drill', first = 0, text = '', group, ...options }: ItemsOf = {},
): EnqueueItem[] {
  return Array.from({ length: count }, (_, at): EnqueueItem => {
    const number = first + at;
    const groupOptions = group === undefined ? {} : { group: group === 'many' ? `group-${number}` : group };
    return [type, { number, text }, { queue, ...groupOptions, ...options }];
  });
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}

async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
