import { until } from '../support/until.js';
import { type Across, acrossLanguages } from './support/across.js';
import { startNodeWorkerProcess } from './support/node-worker-process.js';

const tasks = 100;

// Leases are moved back instead of waited for: what a recoverer sees is the same, and the tests stay short.
describe('a worker that was killed', () => {
  const across = acrossLanguages();

  it('P-116 P-64 in Go: all its tasks are recovered and handled here', async () => {
    const queue = across.aQueue('go-killed');
    const ids = await enqueueStuckOnce(across, queue);
    const there = await across.aGoWorker({ queues: { [queue]: 1 }, concurrency: tasks });
    await until('Go runs them all', () => there.started.length === tasks);
    await there.kill();
    await endLeases(across, queue);

    const here = await across.aNodeWorker({ queues: { [queue]: 1 }, concurrency: tasks, retryDelay: 0 });
    await here.hasEndedTimes(tasks);
    await until('nothing is left', async () => (await across.inspector.queue(queue)).Size === 0);

    expect(new Set(here.ended.map(({ id }) => id))).toEqual(ids);
    expect(here.ended).toHaveLength(tasks);
    expect(new Set(here.ended.map(({ retried }) => retried))).toEqual(new Set([1]));
    expect(await across.inspector.queue(queue)).toMatchObject({ ProcessedTotal: 2 * tasks, FailedTotal: tasks });
  });

  it('P-116 P-64 of ours: all its tasks are recovered and handled by Go', async () => {
    const queue = across.aQueue('node-killed');
    const ids = await enqueueStuckOnce(across, queue);
    const here = await startNodeWorkerProcess({ queues: { [queue]: 1 }, concurrency: tasks });
    await until('we run them all', async () => (await across.inspector.queue(queue)).Active === tasks);
    await here.kill();
    await endLeases(across, queue);
    expect((await across.inspector.list(queue, 'active')).every(({ isOrphaned }) => isOrphaned)).toBe(true);

    const there = await across.aGoWorker({ queues: { [queue]: 1 }, concurrency: tasks, retryDelay: 0 });
    await there.hasEndedTimes(tasks);
    await until('nothing is left', async () => (await across.inspector.queue(queue)).Size === 0);

    expect(new Set(there.ended.map(({ id }) => id))).toEqual(ids);
    expect(there.ended).toHaveLength(tasks);
    expect(new Set(there.ended.map(({ retried }) => retried))).toEqual(new Set([1]));
    expect(await across.inspector.queue(queue)).toMatchObject({ ProcessedTotal: 2 * tasks, FailedTotal: tasks });
  });

  it('P-64 P-114 archives what has no retry left, on either side', async () => {
    const toNode = across.aQueue('last-chance');
    const toGo = across.aQueue('last-chance');
    await across.go.enqueue({ type: 'stuck-once', options: { queue: toNode, maxRetry: 0, taskId: 'a' } });
    await across.client.enqueue('stuck-once', 1, { queue: toGo, maxRetry: 0, taskId: 'b' });
    const there = await across.aGoWorker({ queues: { [toNode]: 1 } });
    const here = await startNodeWorkerProcess({ queues: { [toGo]: 1 } });
    await there.hasStarted('a');
    await until('we run it', async () => (await across.inspector.queue(toGo)).Active === 1);
    await Promise.all([there.kill(), here.kill()]);
    await Promise.all([endLeases(across, toNode), endLeases(across, toGo)]);

    await across.aNodeWorker({ queues: { [toNode]: 1 } });
    await across.aGoWorker({ queues: { [toGo]: 1 } });
    for (const [queue, id] of [
      [toNode, 'a'],
      [toGo, 'b'],
    ] as const) {
      await until('it is archived', async () => (await across.inspector.queue(queue)).Archived === 1);
      const seen = await across.inspector.info(queue, id);
      expect(seen).toMatchObject({ state: 'archived', retried: 0, lastErr: 'asynq: task lease expired' });
    }
  });
});

async function enqueueStuckOnce(across: Across, queue: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (let i = 0; i < tasks; i++) {
    const task =
      i % 2 === 0
        ? await across.client.enqueue('stuck-once', i, { queue })
        : await across.go.enqueue({ type: 'stuck-once', options: { queue } });
    ids.add(task.id);
  }
  return ids;
}

/** Leases of 61 s ago: a killed worker's, half a minute after they ended and a little more. */
async function endLeases(across: Across, queue: string): Promise<void> {
  const key = `asynq:{${queue}}:lease`;
  const ended = Math.floor(Date.now() / 1_000) - 31;
  for (const id of await across.redis.zrange(key, 0, '-1')) await across.redis.zadd(key, ended, id);
}
