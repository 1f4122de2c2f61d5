import { until } from '../support/until.js';
import { acrossLanguages } from './support/across.js';

describe('a Go worker and one of ours on the same queue', () => {
  const across = acrossLanguages();

  it('P-117 S-26 handle thousands of tasks together, each exactly once', async () => {
    const queue = across.aQueue('mixed');
    const total = 6_000;
    const there = await across.aGoWorker({ queues: { [queue]: 1 }, concurrency: 20 });
    const here = await across.aNodeWorker({ queues: { [queue]: 1 }, concurrency: 20 });

    const ids = new Set<string>();
    // Some wait, some are delayed, some fail once: every way into a queue is taken by both.
    const half = Array.from({ length: total / 2 }, (_, i) => i);
    const byGo = async (): Promise<void> => {
      for (const i of half) ids.add((await across.go.enqueue({ type: kindOf(i), options: { queue } })).id);
    };
    const byUs = async (): Promise<void> => {
      for (let i = 0; i < half.length; i += 100) {
        const tasks = half.slice(i, i + 100).map((n) => across.client.enqueue(kindOf(n), n, { queue }));
        for (const { id } of await Promise.all(tasks)) ids.add(id);
      }
    };
    await Promise.all([byGo(), byUs()]);
    await until('every task has ended', async () => (await across.inspector.queue(queue)).Size === 0, {
      within: '60s',
    });

    const runs = [...there.ended, ...here.ended].map(({ id }) => id);
    expect(new Set(runs)).toEqual(ids);
    expect(runs).toHaveLength(total);
    expect(ids.size).toBe(total);
    // Otherwise this would have shown nothing.
    expect(Math.min(there.ended.length, here.ended.length)).toBeGreaterThan(total / 100);
    const { ProcessedTotal, FailedTotal } = await across.inspector.queue(queue);
    expect({ ProcessedTotal, FailedTotal }).toEqual({ ProcessedTotal: total, FailedTotal: 0 });
  });

  it('P-117 S-66 pass running tasks to each other on shutdown, to be run next', async () => {
    const queue = across.aQueue('handed-over');
    await across.go.enqueue({ type: 'until-canceled', options: { queue, taskId: 'running' } });
    const there = await across.aGoWorker({ queues: { [queue]: 1 }, shutdownTimeout: 100 });
    await there.hasStarted('running');
    await across.client.enqueue('ok', 1, { queue, taskId: 'waiting' });
    await there.stop();
    await there.shutdown();

    const here = await across.aNodeWorker({ queues: { [queue]: 1 }, concurrency: 1, shutdownTimeout: '100ms' });
    expect(await here.hasStarted('running')).toMatchObject({ retried: 0 });
    await here.shutdown();

    const again = await across.aGoWorker({ queues: { [queue]: 1 }, concurrency: 1 });
    expect(await again.hasStarted('running')).toMatchObject({ retried: 0 });
    expect(again.started).toHaveLength(1);
  });
});

function kindOf(index: number): string {
  return index % 50 === 0 ? 'sleep:20' : 'ok';
}
