import { acrossLanguages, type Across } from './support/across.js';

describe('the order of tasks enqueued alternately by Go and by us', () => {
  const across = acrossLanguages();

  it('P-115 is kept by our worker', async () => {
    const queue = across.aQueue('order');
    const ids = await enqueueInTurn(across, queue);

    // It fetches as many as it can run at once, and starts them in the order of the queue.
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 }, concurrency: 7 });
    await worker.hasEndedTimes(ids.length);

    expect(worker.started.map(({ id }) => id)).toEqual(ids);
  });

  it('P-115 is kept by a Go worker', async () => {
    const queue = across.aQueue('order');
    const ids = await enqueueInTurn(across, queue);

    const worker = await across.aGoWorker({ queues: { [queue]: 1 }, concurrency: 1 });
    await worker.hasEndedTimes(ids.length);

    expect(worker.started.map(({ id }) => id)).toEqual(ids);
  });
});

async function enqueueInTurn(across: Across, queue: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let i = 0; i < 100; i++) {
    const task =
      i % 2 === 0
        ? await across.client.enqueue('ok', i, { queue })
        : await across.go.enqueue({ type: 'ok', payload: String(i), options: { queue } });
    ids.push(task.id);
  }
  return ids;
}
