import { AsynqClient, AsynqServer, type EnqueueItem, TaskMux } from 'nestjs-asynq/core';
import { startOwnRedis } from '../support/own-redis.js';
import { AggregatingProcess } from './aggregating-process.js';
import { type DrillContext, until } from './drill-context.js';

const tasksPerGroup = 100;
const kills = 3;
const settings = { groupMaxSize: 25, groupConcurrency: 10, delayMs: 50 };
/** A set's two minutes, the next look at old sets within a minute, and some time to aggregate them. */
const reclaimLimitMs = 240_000;

/** Two servers aggregate many groups; one is killed and started again while they do: every task is combined once. */
export async function aggregate({ verdict, random, tasks = 100_000, atEnd }: DrillContext): Promise<void> {
  const redis = await startOwnRedis();
  atEnd(() => redis.stop());
  const client = new AsynqClient({ redis: redis.url });
  atEnd(() => client.close());
  const start = async (): Promise<AggregatingProcess> => {
    const server = await AggregatingProcess.start({ redis: redis.url, ...settings });
    atEnd(() => server.kill());
    return server;
  };
  const servers = [await start(), await start()];
  const combined = (): number => servers.reduce((sum, { members }) => sum + members, 0);

  const groups = Math.ceil(tasks / tasksPerGroup);
  const started = performance.now();
  const enqueuing = enqueueAll(client, { tasks, groups });
  for (let count = 1; count <= kills; count++) {
    const share = (count - 1 + 0.2 + random() * 0.6) / (kills + 1);
    await until(() => combined() >= share * tasks, 60_000);
    servers.at(-1)?.kill();
    servers.push(await start());
  }
  await enqueuing;
  await until(() => combined() >= tasks - kills * settings.groupConcurrency * settings.groupMaxSize, 120_000);
  verdict.tell('tasks', `${tasks} in ${groups} groups, ${kills} kills`);
  verdict.tell('all tasks except those of killed servers were combined after', seconds(performance.now() - started));

  const found = await count({ redis: redis.url, tasks, atEnd });
  const lost = tasks - found.members.size;
  const repeated = [...found.members.values()].filter((times) => times > 1).length;
  verdict.tell('combined tasks', found.combined);
  verdict.tell('the last ones were combined after', seconds(performance.now() - started));
  verdict.tell(
    'aggregations that failed',
    servers.reduce((sum, { failed }) => sum + failed, 0),
  );
  verdict.expect('tasks lost', { figure: lost, bound: 'none', holds: lost === 0 });
  verdict.expect('tasks combined twice', { figure: repeated, bound: 'none', holds: repeated === 0 });
  verdict.expect('members in a wrong group', {
    figure: found.misplaced,
    bound: 'none',
    holds: found.misplaced === 0,
  });
}

async function enqueueAll(
  client: AsynqClient,
  { tasks, groups }: { readonly tasks: number; readonly groups: number },
): Promise<void> {
  const items = Array.from({ length: tasks }, (_, n): EnqueueItem => ['member', n, { group: `group:${n % groups}` }]);
  const refused = (await client.enqueueMany(items)).filter(({ status }) => status === 'rejected');
  if (refused.length > 0) throw new Error(`${refused.length} tasks were not enqueued`);
}

interface Found {
  /** How often each member is in a combined task. */
  readonly members: ReadonlyMap<number, number>;
  readonly combined: number;
  readonly misplaced: number;
}

/** Handles the combined tasks, each once however often it runs, until every member was seen and nothing more comes. */
async function count(drill: {
  readonly redis: string;
  readonly tasks: number;
  readonly atEnd: DrillContext['atEnd'];
}): Promise<Found> {
  const { redis, tasks, atEnd } = drill;
  const groups = Math.ceil(tasks / tasksPerGroup);
  const members = new Map<number, number>();
  const seen = new Set<string>();
  let misplaced = 0;
  const server = new AsynqServer({ redis, concurrency: 50 });
  atEnd(() => server.shutdown());
  await server.start(
    new TaskMux().handle<{ group: string; members: readonly number[] }>('combined', (task) => {
      if (seen.has(task.id)) return;
      seen.add(task.id);
      for (const member of task.payload.members) {
        members.set(member, (members.get(member) ?? 0) + 1);
        if (task.payload.group !== `group:${member % groups}`) misplaced += 1;
      }
    }),
  );
  await until(() => members.size >= tasks, reclaimLimitMs);
  // A task that was combined twice would come with the next look at the groups.
  const before = seen.size;
  await until(() => seen.size > before, 10_000);
  return { members, combined: seen.size, misplaced };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
