import { AsynqServer } from 'nestjs-asynq/core';
import { openStorage } from '../support/storage.js';
import { type DrillContext, until } from './drill-context.js';
import { keyNames, keyOf, OperationRuns, operations, type Workplace } from './storage-operations.js';

const lostTasks = 10;
const operationsLimitMs = 60_000;
/** A look at everything, a lease, and the next look. */
const healingLimitMs = 150_000;

const isCounter = (name: string): boolean => ['processed', 'failed'].includes(name);

/** One operation on one queue. */
interface Attempt {
  readonly name: string;
  readonly queue: string;
  /** Whether it needs the key that is wrong there. */
  readonly isConcerned: boolean;
  error: Error | undefined;
  isDone: boolean;
}

/**
 * In each of many queues one key holds another type than it must, beside a queue with tasks that lost their place. What
 * does not need the key goes on, the key is named, the sound queue is healed, and all is done once the key is deleted.
 */
export async function wrongTypes({ verdict, atEnd }: DrillContext): Promise<void> {
  const { own, redis, client } = await openStorage({ atEnd });
  const runs = new OperationRuns();
  const workplace: Workplace = { client, redis, runs };

  const wrongKeys = keyNames.map((name) => ({ name, queue: `wrong-${name.replace(':', '-')}` }));
  for (const { name, queue } of wrongKeys) {
    // Counters may hold any text.
    if (isCounter(name)) await redis.rpush(keyOf(queue, name), 'x');
    else await redis.set(keyOf(queue, name), 'x');
  }
  const lost = Array.from({ length: lostTasks }, (_, n) => `lost-${n}`);
  for (const id of lost) await client.enqueue('drill', {}, { queue: 'sound', taskId: id });
  await redis.del(keyOf('sound', 'pending'));

  const queues = ['sound', ...wrongKeys.map(({ queue }) => queue)];
  const server = new AsynqServer({
    redis: own.url,
    queues: Object.fromEntries(queues.map((queue) => [queue, 1])),
    concurrency: 100,
    groupGracePeriod: '1s',
    aggregator: ({ queue }) => ['drill', {}, { queue, taskId: 'combined' }],
    retryDelay: () => '1s',
  });
  atEnd(() => server.shutdown());
  const told = new Map<string, number>();
  server.events.on('wrongType', ({ key }) => void told.set(key, (told.get(key) ?? 0) + 1));
  await server.start(runs.mux);
  const started = performance.now();

  const attempts: Attempt[] = queues.flatMap((queue) => {
    const wrong = wrongKeys.find((one) => one.queue === queue)?.name;
    return Object.entries(operations).map(([name, { needs }]) => {
      return {
        name,
        queue,
        isConcerned: wrong !== undefined && needs.includes(wrong),
        error: undefined,
        isDone: false,
      };
    });
  });
  await Promise.all(
    attempts.map(async (attempt) => {
      const start = operations[attempt.name]?.start;
      await start?.(workplace, attempt.queue).catch((error: Error) => (attempt.error = error));
    }),
  );
  const look = async (): Promise<void> => {
    for (const attempt of attempts) {
      attempt.isDone ||= (await operations[attempt.name]?.isDone(workplace, attempt.queue)) ?? false;
    }
  };
  const unconcerned = attempts.filter(({ isConcerned }) => !isConcerned);
  await until(async () => {
    await look();
    return unconcerned.every(({ isDone }) => isDone);
  }, operationsLimitMs);

  for (const { name, queue } of [{ name: undefined, queue: 'sound' }, ...wrongKeys]) {
    const what = name === undefined ? 'beside them, in a sound queue' : `${name} of a wrong type`;
    const free = unconcerned.filter((one) => one.queue === queue);
    const failed = free.filter(({ isDone, error }) => !isDone || error !== undefined);
    verdict.expect(`${what}: operations done that do not need it`, {
      figure: `${free.length - failed.length} ${failed.map((one) => one.name).join(', ')}`.trim(),
      bound: `all ${free.length}`,
      holds: failed.length === 0,
    });
    const concerned = attempts.filter((one) => one.queue === queue && one.isConcerned);
    if (name === undefined || (concerned.length === 0 && !isCounter(name))) continue;
    const key = keyOf(queue, name);
    const errors = concerned.flatMap(({ error }) => error?.message ?? []);
    // An id that is taken, by whatever, is refused as such.
    const isNamed = told.has(key) || errors.some((text) => text.includes(key) || text.includes('Task id "by-id"'));
    verdict.expect('the key is named', { figure: isNamed ? 'yes' : 'no', bound: 'yes', holds: isNamed });
  }
  verdict.expectNone('keys told of more than once', [...told.values()].filter((times) => times > 1).length);

  const isHealed = (): boolean => lost.every((id) => runs.times('sound', id) > 0);
  await until(isHealed, healingLimitMs - (performance.now() - started));
  verdict.expect('lost tasks of the intact queue found and run', {
    figure: isHealed() ? `after ${((performance.now() - started) / 1_000).toFixed(0)} s` : 'not all',
    bound: `within ${healingLimitMs / 1_000} s`,
    holds: isHealed(),
  });
  for (const { name, queue } of wrongKeys) await redis.del(keyOf(queue, name));
  // What was refused is the caller's to try again.
  const accepted = attempts.filter(({ error }) => error === undefined);
  await until(async () => {
    await look();
    return accepted.every(({ isDone }) => isDone);
  }, healingLimitMs);
  const left = accepted.filter(({ isDone }) => !isDone);
  verdict.tell('operations refused', attempts.length - accepted.length);
  verdict.expectNone('others not done once the keys are deleted', left.length);
  for (const { name, queue } of left) verdict.tell('not done', `${name} in ${queue}`);
}
