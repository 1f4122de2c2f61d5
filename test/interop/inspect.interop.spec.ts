import type { GoState } from './support/go-client.js';
import { acrossLanguages } from './support/across.js';
import { aTaskInState, type WaitingState, waitingStates } from './support/states.js';

const group = 'digest:7';

describe("Go's inspector and our tasks", () => {
  const across = acrossLanguages();

  it.each(waitingStates)('lists a task of ours that is %s', async (state) => {
    const queue = across.aQueue('listed');
    const id = await aTaskInState(across, { queue, state, group });

    const [seen] =
      state === 'aggregating'
        ? await across.inspector.listGroup(queue, group)
        : await across.inspector.list(queue, state);
    expect(seen).toMatchObject({ id, queue, state, headers: { 'nest-origin': 'test' } });
    expect(await across.inspector.info(queue, id)).toMatchObject({ id, state });
    expect(await across.inspector.queue(queue)).toMatchObject({ Size: 1, [capitalized(state)]: 1 });
  });

  it('lists a task that runs here as active, not as orphaned', async () => {
    const queue = across.aQueue('active');
    const { id } = await across.client.enqueue('until-canceled', { n: 1 }, { queue });
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 }, shutdownTimeout: '50ms' });
    await worker.hasStarted(id);

    expect(await across.inspector.list(queue, 'active')).toMatchObject([{ id, state: 'active', isOrphaned: false }]);
  });

  it.each(['scheduled', 'retry', 'archived', 'completed', 'aggregating'] as const)(
    'P-104 runs now a task of ours that is %s',
    async (state) => {
      const queue = across.aQueue('run');
      const id = await aTaskInState(across, { queue, state, group });

      await across.inspector.ask({ op: 'run', queue, id });
      const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
      await worker.hasStarted(id);
    },
  );

  it.each(['pending', 'scheduled', 'retry', 'completed', 'aggregating'] as const)(
    'archives a task of ours that is %s',
    async (state) => {
      const queue = across.aQueue('archive');
      const id = await aTaskInState(across, { queue, state, group });

      await across.inspector.ask({ op: 'archive', queue, id });
      expect(await across.inspector.queue(queue)).toMatchObject({ Size: 1, Archived: 1 });
      expect(await across.inspector.info(queue, id)).toMatchObject({ state: 'archived' });
    },
  );

  it.each(waitingStates)('deletes a task of ours that is %s, with its lock', async (state) => {
    const queue = across.aQueue('delete');
    const id = await aTaskInState(across, { queue, state, group, unique: '1h' });

    await across.inspector.ask({ op: 'delete', queue, id });
    expect(await across.inspector.queue(queue)).toMatchObject({ Size: 0 });
    expect(await across.redis.keys(`asynq:{${queue}}:t:*`)).toEqual([]);
    expect(await across.redis.keys(`asynq:{${queue}}:unique:*`)).toEqual([]);
  });

  it('updates the payload of a scheduled task of ours, which then runs with it and on time', async () => {
    const queue = across.aQueue('update');
    const processAt = new Date(Date.now() + 1_300);
    const { id } = await across.client.enqueue('ok', 'old', { queue, processAt, headers: { k: 'v' } });

    await across.inspector.updatePayload({ queue, id }, '"new"');
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    const run = await worker.hasEnded(id);

    expect(run.payload.toString()).toBe('"new"');
    expect(run.headers).toEqual({ k: 'v' });
    expect(run.startedAt).toBeGreaterThanOrEqual(processAt.getTime());
  });

  it.each([
    ['run-all', 'scheduled'],
    ['run-all', 'retry'],
    ['run-all', 'archived'],
    ['run-all', 'aggregating'],
    ['archive-all', 'pending'],
    ['archive-all', 'scheduled'],
    ['archive-all', 'retry'],
    ['archive-all', 'aggregating'],
    ['delete-all', 'pending'],
    ['delete-all', 'scheduled'],
    ['delete-all', 'retry'],
    ['delete-all', 'archived'],
    ['delete-all', 'completed'],
    ['delete-all', 'aggregating'],
  ] as const)('%s of our %s tasks', async (op, state) => {
    const queue = across.aQueue('all');
    await aTaskInState(across, { queue, state, group });

    expect(await across.inspector.ask({ op, queue, state, group })).toBe(1);
    const left = await across.inspector.queue(queue);
    const where = { 'run-all': { Pending: 1 }, 'archive-all': { Archived: 1 }, 'delete-all': { Size: 0 } }[op];
    expect(left).toMatchObject(where);
  });

  it('pauses a queue for our worker and resumes it', async () => {
    const queue = across.aQueue('paused');
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await across.inspector.ask({ op: 'pause', queue });
    const held = await across.client.enqueue('ok', 1, { queue });
    const other = across.aQueue('open');
    const beside = await across.aNodeWorker({ queues: { [queue]: 5, [other]: 1 } });
    await beside.hasEnded((await across.client.enqueue('ok', 2, { queue: other })).id);
    expect([...worker.started, ...beside.started].map(({ id }) => id)).not.toContain(held.id);

    await across.inspector.ask({ op: 'unpause', queue });
    await Promise.race([worker.hasEnded(held.id), beside.hasEnded(held.id)]);
  });
});

function capitalized(state: GoState | WaitingState): string {
  return state.charAt(0).toUpperCase() + state.slice(1);
}
