import { until } from '../support/until.js';
import { acrossLanguages } from './support/across.js';
import { found } from './support/found.js';

describe('outcomes across languages', () => {
  const across = acrossLanguages();

  /** Makes waiting retries due now, on every clock. */
  async function runRetriesNow(queue: string): Promise<void> {
    await across.inspector.ask({ op: 'run-all', queue, state: 'retry' });
  }

  it('P-114 shows Go the retry of a task that failed here', async () => {
    const queue = across.aQueue('failed-here');
    const { id } = await across.client.enqueue('fail', Buffer.from('disk full 💥'), { queue, headers: { k: 'v' } });
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });

    const [seen] = await found('Go lists the retry', async () => {
      const listed = await across.inspector.list(queue, 'retry');
      return listed.length > 0 ? listed : undefined;
    });
    await worker.shutdown();

    expect(seen).toMatchObject({ id, retried: 1, maxRetry: 25, lastErr: 'disk full 💥', headers: { k: 'v' } });
    expect(Math.abs((seen?.lastFailedAt ?? 0) - Date.now())).toBeLessThan(10_000);
    expect(Math.abs((seen?.nextProcessAt ?? 0) - Date.now() - 600_000)).toBeLessThan(10_000);
    const info = await across.inspector.queue(queue);
    expect(info).toMatchObject({ Retry: 1, Processed: 1, Failed: 1, ProcessedTotal: 1, FailedTotal: 1 });
  });

  it('P-114 continues the retry count of the other side', async () => {
    const queue = across.aQueue('in-turn');
    const { id } = await across.client.enqueue('fail-first:3', undefined, { queue, maxRetry: 3 });

    for (const side of ['node', 'go', 'node'] as const) {
      const queues = { [queue]: 1 };
      const worker = side === 'node' ? await across.aNodeWorker({ queues }) : await across.aGoWorker({ queues });
      await until('the task waits for its retry', async () => (await across.inspector.queue(queue)).Retry === 1);
      await worker.shutdown();
      await runRetriesNow(queue);
    }
    expect(await across.inspector.info(queue, id)).toMatchObject({ retried: 3, lastErr: 'failure 3' });

    const last = await across.aGoWorker({ queues: { [queue]: 1 } });
    expect(await last.hasEnded(id)).toMatchObject({ retried: 3, maxRetry: 3 });
    expect(last.ended).toMatchObject([{ id }]);
    expect(last.ended[0]?.error).toBeUndefined();
  });

  it('P-114 archives here a task whose retries Go has used up', async () => {
    const queue = across.aQueue('used-up');
    const { id } = await across.go.enqueue({ type: 'fail', payload: 'once more', options: { queue, maxRetry: 1 } });
    const there = await across.aGoWorker({ queues: { [queue]: 1 } });
    await until('the task waits for its retry', async () => (await across.inspector.queue(queue)).Retry === 1);
    await there.shutdown();
    await runRetriesNow(queue);

    const here = await across.aNodeWorker({ queues: { [queue]: 1 } });
    expect(await here.hasEnded(id)).toMatchObject({ retried: 1, maxRetry: 1 });
    await until('the task is archived', async () => (await across.inspector.queue(queue)).Archived === 1);

    expect(await across.inspector.info(queue, id)).toMatchObject({
      state: 'archived',
      retried: 1,
      lastErr: 'once more',
    });
    expect(await across.inspector.queue(queue)).toMatchObject({ ProcessedTotal: 2, FailedTotal: 2 });
  });

  it('S-49 S-50 treats SkipRetryError and RevokeTaskError as Go treats its own errors', async () => {
    const queue = across.aQueue('decided');
    const skipped = await across.go.enqueue({ type: 'skip', options: { queue } });
    const revoked = await across.go.enqueue({ type: 'revoke', options: { queue, retention: 60_000 } });

    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await worker.hasEndedTimes(2);
    await worker.shutdown();

    expect(await across.inspector.info(queue, skipped.id)).toMatchObject({ state: 'archived', lastErr: 'not again' });
    const gone = await across.inspector.tryAsk({ op: 'info', queue, id: revoked.id });
    expect(gone.refusal).toBe('task-not-found');
    expect(await across.inspector.queue(queue)).toMatchObject({ Completed: 0, Archived: 1 });
  });

  it.each(['result', 'return'])('P-68 P-74 shows Go what a handler here stored: %s', async (type) => {
    const queue = across.aQueue('result');
    const payload = Buffer.from([0, 255, 1, 254]);
    const { id } = await across.go.enqueue({ type, payload, options: { queue, retention: 600_000 } });

    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await worker.hasEnded(id);
    await worker.shutdown();

    const [seen] = await across.inspector.list(queue, 'completed');
    expect(seen).toMatchObject({ id, state: 'completed', retention: 600_000, result: payload.toString('base64') });
    expect(Math.abs((seen?.completedAt ?? 0) - Date.now())).toBeLessThan(10_000);
  });

  it('P-74 P-27 keeps the result that Go stored', async () => {
    const queue = across.aQueue('result');
    const { id } = await across.client.enqueue('result', Buffer.from('42'), { queue, retention: '10m' });

    const worker = await across.aGoWorker({ queues: { [queue]: 1 } });
    await worker.hasEnded(id);
    await worker.shutdown();

    expect(await across.inspector.info(queue, id)).toMatchObject({ state: 'completed', retention: 600_000 });
    expect((await across.redis.hget(`asynq:{${queue}}:t:${id}`, 'result'))?.toString()).toBe('42');
  });

  it('P-75 S-103 deletes completed tasks of the other side when their retention has ended', async () => {
    const queue = across.aQueue('retention');
    await across.go.enqueue({ type: 'ok', options: { queue, retention: 1_000, taskId: 'by-go' } });
    const there = await across.aGoWorker({ queues: { [queue]: 1 } });
    await there.hasEnded('by-go');
    await there.kill();
    await across.client.enqueue('ok', undefined, { queue, retention: '1s', taskId: 'by-node' });

    const here = await across.aNodeWorker({ queues: { [queue]: 1 }, janitorInterval: '100ms' });
    await here.hasEnded('by-node');
    await until('both are gone', async () => (await across.inspector.queue(queue)).Size === 0);
    expect(await across.redis.keys(`asynq:{${queue}}:t:*`)).toEqual([]);
  });
});
