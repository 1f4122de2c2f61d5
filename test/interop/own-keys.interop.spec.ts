import { until } from '../support/until.js';
import { acrossLanguages } from './support/across.js';
import { found } from './support/found.js';

// What we keep beside Asynq's data must not be in Go's way, and must survive it.
describe('our own keys and fields when Go changes the queue', () => {
  const across = acrossLanguages();
  const ourFields = {
    'x:o': 'host:1:0b5c2a4e-0000-4000-8000-000000000000',
    'x:error': 'bad bytes',
    'x:msg': Buffer.from([0xff, 0xfe]),
  };

  it('P-43 shows Go a due time between two seconds as the second after it', async () => {
    const queue = across.aQueue('fraction');
    const second = Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000;
    const { id } = await across.client.enqueue('ok', 1, { queue, processAt: new Date(second + 250) });

    expect(await across.redis.zscore(`asynq:{${queue}}:scheduled`, id)).toBe(String(second / 1_000 + 1));
    expect(await across.inspector.info(queue, id)).toMatchObject({ nextProcessAt: second + 1_000 });
    expect(await across.inspector.list(queue, 'scheduled')).toMatchObject([{ id, nextProcessAt: second + 1_000 }]);
  });

  it('lets no task start early, whichever worker forwards it', async () => {
    const queue = across.aQueue('early');
    const dueAt = new Map<string, number>();
    const there = await across.aGoWorker({ queues: { [queue]: 1 } });
    const here = await across.aNodeWorker({ queues: { [queue]: 1 } });
    for (let i = 0; i < 60; i++) {
      const processAt = new Date(Date.now() + 200 + i * 37);
      dueAt.set((await across.client.enqueue('ok', i, { queue, processAt })).id, processAt.getTime());
    }
    await until('all have run', () => there.started.length + here.started.length === dueAt.size);

    const early = here.started.filter(({ id, startedAt }) => startedAt < (dueAt.get(id) ?? 0));
    expect(early).toEqual([]);
    const tooEarlyThere = there.started.filter(({ id, at }) => (at ?? 0) < (dueAt.get(id ?? '') ?? 0));
    expect(tooEarlyThere).toEqual([]);
  });

  it('does not keep exact due times forever when Go does all the work', async () => {
    const queue = across.aQueue('leftovers');
    const processAt = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 250);
    const { id } = await across.client.enqueue('ok', 1, { queue, processAt });
    const there = await across.aGoWorker({ queues: { [queue]: 1 } });
    await there.hasEnded(id);

    const left = (await across.redis.keys(`asynq:{${queue}}:x:*`)).map(async (key) => await across.redis.pttl(key));
    for (const life of await Promise.all(left)) expect(life).toBeGreaterThan(0);
  });

  it('survives a retry, an archive, a run and a new payload by Go', async () => {
    const queue = across.aQueue('fields');
    await across.client.enqueue('fail', Buffer.from('x'), { queue, processIn: '1h', taskId: 'marked' });
    const key = `asynq:{${queue}}:t:marked`;
    await across.redis.hset(key, ourFields);

    await across.inspector.updatePayload({ queue, id: 'marked' }, 'y');
    await across.inspector.ask({ op: 'run', queue, id: 'marked' });
    const there = await across.aGoWorker({ queues: { [queue]: 1 } });
    expect(await there.hasEnded('marked')).toMatchObject({ error: 'y' });
    await until('it waits for its retry', async () => (await across.inspector.queue(queue)).Retry === 1);
    await across.inspector.ask({ op: 'archive', queue, id: 'marked' });

    const fields = await across.redis.hgetallBuffer(key);
    for (const [field, value] of Object.entries(ourFields)) expect(fields[field]).toEqual(Buffer.from(value as string));
    expect(await across.inspector.info(queue, 'marked')).toMatchObject({ state: 'archived', retried: 1 });
  });

  it('S-86 does not make us recover a task of a Go worker too early', async () => {
    const queue = across.aQueue('owner');
    await across.go.enqueue({ type: 'until-canceled', options: { queue, taskId: 'held' } });
    await across.go.enqueue({ type: 'until-canceled', options: { queue, taskId: 'lost' } });
    const there = await across.aGoWorker({ queues: { [queue]: 1 } });
    await Promise.all([there.hasStarted('held'), there.hasStarted('lost')]);
    await there.kill();
    const now = Math.floor(Date.now() / 1_000);
    await across.redis.zadd(`asynq:{${queue}}:lease`, now - 10, 'held', now - 31, 'lost');

    await across.aNodeWorker({ queues: { [queue]: 1 } });
    await until('the lost one is recovered', async () => (await across.inspector.queue(queue)).Retry === 1);
    expect(await across.inspector.list(queue, 'retry')).toMatchObject([
      { id: 'lost', retried: 1, lastErr: 'asynq: task lease expired' },
    ]);
    expect(await across.inspector.list(queue, 'active')).toMatchObject([{ id: 'held', isOrphaned: true }]);
  });

  it('shows Go a record that does not decode, archived with its reason, and the others continue', async () => {
    const queue = across.aQueue('undecodable');
    await across.go.enqueue({ type: 'ok', payload: 'p', options: { queue, taskId: 'bad' } });
    await across.go.enqueue({ type: 'ok', options: { queue, taskId: 'good' } });
    const key = `asynq:{${queue}}:t:bad`;
    const message = await across.redis.hgetBuffer(key, 'msg');
    const broken = Buffer.concat([message ?? Buffer.alloc(0), Buffer.from([0x3a, 0x02, 0xff, 0xfe])]);
    await across.redis.hset(key, 'msg', broken);

    const here = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await here.hasEnded('good');
    const listed = await found('it is archived', async () => {
      const archived = await across.inspector.list(queue, 'archived');
      return archived.length > 0 ? archived : undefined;
    });
    expect(listed).toMatchObject([{ id: 'bad', queue, type: 'ok', lastErr: expect.stringContaining('UTF-8') }]);
    expect(await across.redis.hgetBuffer(key, 'x:msg')).toEqual(broken);
    await across.inspector.ask({ op: 'delete', queue, id: 'bad' });
  });

  it('leaves a task of an unknown type to a Go worker that knows it, without using up a retry', async () => {
    const queue = across.aQueue('unknown-type');
    await across.aNodeWorker({ queues: { [queue]: 1 } }, { knows: 'known' });
    const { id } = await across.client.enqueue('ok', 1, { queue });
    const there = await across.aGoWorker({ queues: { [queue]: 1 } });
    expect(await there.hasEnded(id)).toMatchObject({ retried: 0 });
  });

  it('does not stop Go from deleting a queue, and what is left behind expires', async () => {
    const queue = across.aQueue('deleted');
    const processAt = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60_250);
    await across.client.enqueue('ok', 1, { queue, processAt });

    await across.inspector.ask({ op: 'delete-queue', queue, force: true });
    expect(await across.inspector.ask({ op: 'queues' })).not.toContain(queue);
    for (const key of await across.redis.keys(`asynq:{${queue}}:*`)) {
      expect(key).toContain(':x:');
      expect(await across.redis.pttl(key)).toBeGreaterThan(0);
    }
  });
});
