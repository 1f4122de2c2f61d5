import { DuplicateTaskError, TaskIdConflictError } from '../../lib/model/errors/task-errors.js';
import { until } from '../support/until.js';
import { acrossLanguages } from './support/across.js';

const payload = '{"u":1}';

describe('unique tasks across languages', () => {
  const across = acrossLanguages();

  it('P-113 refuses here what Go has enqueued as unique', async () => {
    const queue = across.aQueue('unique');
    await across.go.enqueue({ type: 'email:send', payload, options: { queue, unique: 60_000 } });

    const twin = across.client.enqueue('email:send', { u: 1 }, { queue, unique: '1m' });
    await expect(twin).rejects.toThrow(DuplicateTaskError);
  });

  it('P-113 makes Go refuse what we have enqueued as unique', async () => {
    const queue = across.aQueue('unique');
    await across.client.enqueue('email:send', { u: 1 }, { queue, unique: '1m' });

    const twin = await across.go.tryEnqueue({ type: 'email:send', payload, options: { queue, unique: 60_000 } });
    expect(twin.refusal).toBe('duplicate');
  });

  it('P-113 P-24 treats equal payloads as equal whatever their headers are', async () => {
    const queue = across.aQueue('unique');
    await across.client.enqueue('email:send', { u: 1 }, { queue, unique: '1m', headers: { trace: 'a' } });

    const options = { queue, unique: 60_000 };
    const twin = await across.go.tryEnqueue({ type: 'email:send', payload, headers: { trace: 'b' }, options });
    expect(twin.refusal).toBe('duplicate');
  });

  it('P-113 P-22 agrees on tasks without a payload', async () => {
    const queue = across.aQueue('unique');
    await across.client.enqueue('backup', undefined, { queue, unique: '1m' });

    const twin = await across.go.tryEnqueue({ type: 'backup', payload: null, options: { queue, unique: 60_000 } });
    expect(twin.refusal).toBe('duplicate');
  });

  it('P-113 P-23 agrees on an empty payload, which differs from none', async () => {
    const queue = across.aQueue('unique');
    await across.go.enqueue({ type: 'backup', payload: '', options: { queue, unique: 60_000 } });

    const twin = across.client.enqueue('backup', Buffer.alloc(0), { queue, unique: '1m' });
    await expect(twin).rejects.toThrow(DuplicateTaskError);
    await expect(across.client.enqueue('backup', undefined, { queue, unique: '1m' })).resolves.toBeDefined();
  });

  it('P-113 frees the lock that Go took when we have handled the task', async () => {
    const queue = across.aQueue('unique');
    const options = { queue, unique: 60_000 };
    const { id } = await across.go.enqueue({ type: 'ok', payload, options });

    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await worker.hasEnded(id);
    await worker.shutdown();

    expect((await across.go.tryEnqueue({ type: 'ok', payload, options })).refusal).toBe('');
  });

  it('P-113 frees the lock that we took when Go has handled the task', async () => {
    const queue = across.aQueue('unique');
    const { id } = await across.client.enqueue('ok', { u: 1 }, { queue, unique: '1m' });

    const worker = await across.aGoWorker({ queues: { [queue]: 1 } });
    await worker.hasEnded(id);
    await worker.shutdown();

    await expect(across.client.enqueue('ok', { u: 1 }, { queue, unique: '1m' })).resolves.toBeDefined();
  });

  it('P-34 P-113 refuses an id that the other side has used', async () => {
    const queue = across.aQueue('ids');
    await across.go.enqueue({ type: 'ok', payload, options: { queue, taskId: 'go-1' } });
    await across.client.enqueue('ok', { u: 1 }, { queue, taskId: 'node-1' });

    const ours = across.client.enqueue('ok', { u: 2 }, { queue, taskId: 'go-1' });
    await expect(ours).rejects.toThrow(TaskIdConflictError);
    const theirs = await across.go.tryEnqueue({ type: 'ok', payload, options: { queue, taskId: 'node-1' } });
    expect(theirs.refusal).toBe('conflict');
  });

  it('P-71 P-113 keeps the lock of a newer equal task when the older one ends late', async () => {
    const queue = across.aQueue('unique');
    const first = await across.go.enqueue({ type: 'ok', payload, options: { queue, unique: 60_000 } });
    const lock = await across.redis.hget(`asynq:{${queue}}:t:${first.id}`, 'unique_key');
    // Its time has run out while the task waited.
    await across.redis.del(lock ?? '');
    await across.inspector.ask({ op: 'pause', queue });
    const second = await across.client.enqueue('ok', { u: 1 }, { queue, unique: '1m' });
    await across.inspector.ask({ op: 'archive', queue, id: second.id });
    await across.inspector.ask({ op: 'unpause', queue });

    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await worker.hasEnded(first.id);
    await worker.shutdown();

    expect(await across.redis.get(lock ?? '')).toBe(second.id);
  });

  it('Q-64 takes over the lock of a Go task that was deleted by hand, which Go does not', async () => {
    const queue = across.aQueue('unique');
    const options = { queue, unique: 3_600_000 };
    const { id } = await across.go.enqueue({ type: 'ok', payload, options });
    await across.redis.del(`asynq:{${queue}}:t:${id}`);
    await across.redis.lrem(`asynq:{${queue}}:pending`, 0, id);
    expect((await across.go.tryEnqueue({ type: 'ok', payload, options })).refusal).toBe('duplicate');

    const ours = await across.client.enqueue('ok', { u: 1 }, { queue, unique: '1m' });

    const lock = await across.redis.hget(`asynq:{${queue}}:t:${ours.id}`, 'unique_key');
    expect(await across.redis.get(lock ?? '')).toBe(ours.id);
    expect((await across.go.tryEnqueue({ type: 'ok', payload, options })).refusal).toBe('duplicate');
    const worker = await across.aGoWorker({ queues: { [queue]: 1 } });
    await worker.hasEnded(ours.id);
    await worker.shutdown();
    expect((await across.go.tryEnqueue({ type: 'ok', payload, options })).refusal).toBe('');
  });

  it('Q-64 takes over the lock of a member that a Go server has aggregated, which Go does not', async () => {
    const queue = across.aQueue('unique');
    const options = { queue, group: 'g', unique: 3_600_000 };
    await across.go.enqueue({ type: 'note', payload, options });
    await across.inspector.ask({ op: 'pause', queue });
    await across.aGoWorker({ queues: { [queue]: 1 }, groupSize: 1, groupGrace: 1_000 });
    await until('only the combined task is left', async () => {
      const { Pending, Groups } = await across.inspector.queue(queue);
      return Pending === 1 && Groups === 0 && (await across.redis.keys(`asynq:{${queue}}:t:*`)).length === 1;
    });
    expect((await across.go.tryEnqueue({ type: 'note', payload, options })).refusal).toBe('duplicate');

    await expect(across.client.enqueue('note', { u: 1 }, { queue, group: 'g', unique: '1h' })).resolves.toBeDefined();
  });
});
