import { until } from '../support/until.js';
import { acrossLanguages } from './support/across.js';
import { found } from './support/found.js';

describe('cancellation across languages', () => {
  const across = acrossLanguages();

  it('P-110 S-98 S-100 stops a handler here when Go cancels its task', async () => {
    const queue = across.aQueue('go-cancels');
    const canceled = await across.client.enqueue('until-canceled', 1, { queue });
    const other = await across.client.enqueue('until-canceled', 2, { queue });
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await Promise.all([worker.hasStarted(canceled.id), worker.hasStarted(other.id)]);

    await signalUntilHeard(
      () => across.inspector.ask({ op: 'cancel', id: canceled.id }),
      () => worker.ended.length > 0,
    );
    const [seen] = await found('the task waits for its retry', async () => {
      const listed = await across.inspector.list(queue, 'retry');
      return listed.length > 0 ? listed : undefined;
    });
    expect(seen).toMatchObject({ id: canceled.id, retried: 1, lastErr: 'context canceled' });
    expect(worker.ended.map(({ id }) => id)).toEqual([canceled.id]);
    await signalUntilHeard(
      () => across.client.signalCancel(other.id),
      () => worker.ended.length > 1,
    );
  });

  it('P-111 stops a Go handler when we signal its task', async () => {
    const queue = across.aQueue('we-cancel');
    const canceled = await across.go.enqueue({ type: 'until-canceled', options: { queue } });
    const other = await across.go.enqueue({ type: 'until-canceled', options: { queue } });
    const worker = await across.aGoWorker({ queues: { [queue]: 1 } });
    await Promise.all([worker.hasStarted(canceled.id), worker.hasStarted(other.id)]);

    await signalUntilHeard(
      () => across.client.signalCancel(canceled.id),
      () => worker.ended.length > 0,
    );
    expect(await worker.hasEnded(canceled.id)).toMatchObject({ error: 'context canceled' });
    await until('the task waits for its retry', async () => (await across.inspector.queue(queue)).Retry === 1);
    expect(worker.ended.map(({ id }) => id)).toEqual([canceled.id]);
  });

  it('P-111 publishes only the id on the channel that Go receives', async () => {
    const queue = across.aQueue('channel');
    const { id } = await across.client.enqueue('until-canceled', 1, { queue });
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await worker.hasStarted(id);
    const heard: string[] = [];
    const ear = across.redis.duplicate();
    ear.on('message', (_channel, message: string) => heard.push(message));
    await ear.subscribe('asynq:cancel');

    await signalUntilHeard(
      () => across.client.cancel(id, { queue, outcome: 'archive' }),
      () => heard.includes(id) && worker.ended.length > 0,
    );
    ear.disconnect();

    expect(new Set(heard.filter((message) => message.includes(id)))).toEqual(new Set([id]));
  });

  it('ends a task that runs here with the requested outcome, as Go shows', async () => {
    const queue = across.aQueue('then');
    const { id } = await across.go.enqueue({ type: 'until-canceled', options: { queue } });
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await worker.hasStarted(id);

    await signalUntilHeard(
      async () => expect(await across.client.cancel(id, { queue, outcome: 'archive' })).toBe('signaled'),
      () => worker.ended.length > 0,
    );
    await until('the task is archived', async () => (await across.inspector.queue(queue)).Archived === 1);
    expect(await across.inspector.info(queue, id)).toMatchObject({ state: 'archived', lastErr: 'context canceled' });
  });

  it('ends a task that Go ran with the requested outcome when its retry is due here', async () => {
    const queue = across.aQueue('then-go');
    const { id } = await across.client.enqueue('until-canceled', 1, { queue });
    const there = await across.aGoWorker({ queues: { [queue]: 1 } });
    await there.hasStarted(id);

    await signalUntilHeard(
      () => across.client.cancel(id, { queue, outcome: 'archive' }),
      () => there.ended.length > 0,
    );
    // Go knows of no outcome and retries.
    await until('the task waits for its retry', async () => (await across.inspector.queue(queue)).Retry === 1);
    await there.kill();
    await across.redis.zadd(`asynq:{${queue}}:retry`, Math.floor(Date.now() / 1_000), id);

    const here = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await until('the task is archived', async () => (await across.inspector.queue(queue)).Archived === 1);
    expect(here.started).toEqual([]);
  });

  it.each([
    ['pending', {}],
    ['scheduled', { processIn: 3_600_000 }],
    ['aggregating', { group: 'g' }],
  ] as const)('archives and deletes a %s task of Go, as Go shows', async (_state, options) => {
    const queue = across.aQueue('waiting');
    const kept = await across.go.enqueue({ type: 'ok', payload: '1', options: { queue, unique: 60_000, ...options } });
    const gone = await across.go.enqueue({ type: 'ok', payload: '2', options: { queue, unique: 60_000, ...options } });

    expect(await across.client.cancel(kept.id, { queue, outcome: 'archive' })).toBe('archived');
    expect(await across.client.cancel(gone.id, { queue, outcome: 'delete' })).toBe('deleted');

    expect(await across.inspector.list(queue, 'archived')).toMatchObject([{ id: kept.id }]);
    expect(await across.inspector.queue(queue)).toMatchObject({ Size: 1, Archived: 1 });
    const again = { type: 'ok', payload: '2', options: { queue, unique: 60_000 } };
    expect((await across.go.tryEnqueue(again)).refusal).toBe('');
  });
});

/** A signal that nobody listens to yet is lost, and a worker that has just started may not listen yet (P-110). */
async function signalUntilHeard(signal: () => Promise<unknown>, isHeard: () => boolean): Promise<void> {
  await until('the signal is heard', async () => {
    if (!isHeard()) await signal();
    return isHeard();
  });
}
