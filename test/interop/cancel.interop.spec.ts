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

    await across.inspector.ask({ op: 'cancel', id: canceled.id });
    await worker.hasEnded(canceled.id);
    const [seen] = await found('the task waits for its retry', async () => {
      const listed = await across.inspector.list(queue, 'retry');
      return listed.length > 0 ? listed : undefined;
    });
    expect(seen).toMatchObject({ id: canceled.id, retried: 1, lastErr: 'context canceled' });
    expect(worker.ended.map(({ id }) => id)).toEqual([canceled.id]);
    await across.client.signalCancel(other.id);
  });

  it('P-111 stops a Go handler when we signal its task', async () => {
    const queue = across.aQueue('we-cancel');
    const canceled = await across.go.enqueue({ type: 'until-canceled', options: { queue } });
    const other = await across.go.enqueue({ type: 'until-canceled', options: { queue } });
    const worker = await across.aGoWorker({ queues: { [queue]: 1 } });
    await Promise.all([worker.hasStarted(canceled.id), worker.hasStarted(other.id)]);

    await across.client.signalCancel(canceled.id);
    expect(await worker.hasEnded(canceled.id)).toMatchObject({ error: 'context canceled' });
    await until('the task waits for its retry', async () => (await across.inspector.queue(queue)).Retry === 1);
    expect(worker.ended.map(({ id }) => id)).toEqual([canceled.id]);
  });

  it('P-111 puts nothing but the id on the channel that Go hears', async () => {
    const queue = across.aQueue('channel');
    const { id } = await across.client.enqueue('until-canceled', 1, { queue });
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await worker.hasStarted(id);
    const heard: string[] = [];
    const ear = across.redis.duplicate();
    ear.on('message', (_channel, message: string) => heard.push(message));
    await ear.subscribe('asynq:cancel');

    await across.client.cancel(id, { queue, then: 'archive' });
    await until('the channel has carried the id', () => heard.includes(id));
    ear.disconnect();

    expect(heard.filter((message) => message.includes(id))).toEqual([id]);
  });

  it('ends a task that runs here as the caller wished, for Go to see', async () => {
    const queue = across.aQueue('then');
    const { id } = await across.go.enqueue({ type: 'until-canceled', options: { queue } });
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await worker.hasStarted(id);

    expect(await across.client.cancel(id, { queue, then: 'archive' })).toBe('signaled');
    await until('the task is archived', async () => (await across.inspector.queue(queue)).Archived === 1);
    expect(await across.inspector.info(queue, id)).toMatchObject({ state: 'archived', lastErr: 'context canceled' });
  });

  it.each([
    ['pending', {}],
    ['scheduled', { processIn: 3_600_000 }],
    ['aggregating', { group: 'g' }],
  ] as const)('archives and deletes a %s task of Go, for Go to see', async (_state, options) => {
    const queue = across.aQueue('waiting');
    const kept = await across.go.enqueue({ type: 'ok', payload: '1', options: { queue, unique: 60_000, ...options } });
    const gone = await across.go.enqueue({ type: 'ok', payload: '2', options: { queue, unique: 60_000, ...options } });

    expect(await across.client.cancel(kept.id, { queue, then: 'archive' })).toBe('archived');
    expect(await across.client.cancel(gone.id, { queue, then: 'delete' })).toBe('deleted');

    expect(await across.inspector.list(queue, 'archived')).toMatchObject([{ id: kept.id }]);
    expect(await across.inspector.queue(queue)).toMatchObject({ Size: 1, Archived: 1 });
    const again = { type: 'ok', payload: '2', options: { queue, unique: 60_000 } };
    expect((await across.go.tryEnqueue(again)).refusal).toBe('');
  });
});
