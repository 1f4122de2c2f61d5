import { acrossLanguages } from './support/across.js';
import { deadlineOf, optionSets } from './support/option-sets.js';

const everyByte = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte));

/** Names and payloads that have broken queues before. */
const oddTasks = [
  { what: 'a payload of every byte', type: 'ok', payload: everyByte, taskId: 'every-byte' },
  { what: 'no payload', type: 'ok', payload: Buffer.alloc(0), taskId: 'nothing' },
  { what: 'a payload of 3 MB', type: 'ok', payload: Buffer.alloc(3_000_000, 'x'), taskId: 'large' },
  { what: 'an id of 10,000 characters', type: 'ok', payload: everyByte, taskId: 'i'.repeat(10_000) },
  { what: 'names of many scripts', type: 'ok:почта 🐎', payload: Buffer.from('"é"'), taskId: '任务\n{1}' },
  { what: 'a type with control characters', type: 'ok:\u0000\t', payload: everyByte, taskId: ' spaced ' },
];

describe('enqueueing across languages', () => {
  const across = acrossLanguages();

  it('P-112 passes us what Go enqueued, with every combination of options', async () => {
    const queue = across.aQueue('from-go');
    const ids = new Map<string, string>();
    for (const { name, go: options, headers } of optionSets) {
      const payload = JSON.stringify({ name });
      const task = { type: `ok:${name}`, payload, options: { ...options, queue }, ...(headers ? { headers } : {}) };
      ids.set(name, (await across.go.enqueue(task)).id);
    }

    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await worker.hasEndedTimes(optionSets.length);

    for (const set of optionSets) {
      const run = worker.ended.find(({ id }) => id === ids.get(set.name));
      expect(run).toMatchObject({ type: `ok:${set.name}`, queue, retried: 0, maxRetry: set.go.maxRetry ?? 25 });
      expect(run?.payload.toString()).toBe(JSON.stringify({ name: set.name }));
      expect(run?.headers).toEqual(set.headers ?? {});
      expect(Math.abs((run?.deadline ?? 0) - deadlineOf(set, run?.startedAt ?? 0))).toBeLessThan(1_000);
    }
    expect(worker.ended).toHaveLength(optionSets.length);
  });

  it('P-112 passes Go what we enqueued, with every combination of options', async () => {
    const queue = across.aQueue('to-go');
    const ids = new Map<string, string>();
    for (const { name, ours } of optionSets) {
      ids.set(name, (await across.client.enqueue(`ok:${name}`, { name }, { ...ours, queue })).id);
    }

    const worker = await across.aGoWorker({ queues: { [queue]: 1 } });
    await worker.hasEndedTimes(optionSets.length);

    for (const set of optionSets) {
      const run = worker.ended.find(({ id }) => id === ids.get(set.name));
      expect(run).toMatchObject({ type: `ok:${set.name}`, queue, retried: 0, maxRetry: set.go.maxRetry ?? 25 });
      expect(Buffer.from(run?.payload ?? '', 'base64').toString()).toBe(JSON.stringify({ name: set.name }));
      expect(run?.headers ?? {}).toEqual(set.headers ?? {});
      expect(Math.abs((run?.deadline ?? 0) - deadlineOf(set, run?.at ?? 0))).toBeLessThan(1_000);
    }
    expect(worker.ended).toHaveLength(optionSets.length);
  });

  it.each(oddTasks)('P-112 P-13 carries $what from Go to us', async ({ type, payload, taskId }) => {
    const queue = across.aQueue('odd {} 🐎\n');
    await across.go.enqueue({ type, payload, headers: { '': '', 'ключ\n': '\u0000' }, options: { queue, taskId } });

    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    const run = await worker.hasEnded(taskId);

    expect(run).toMatchObject({ type, queue, headers: { '': '', 'ключ\n': '\u0000' } });
    expect(run.payload.equals(payload)).toBe(true);
  });

  it.each(oddTasks)('P-112 P-13 carries $what from us to Go', async ({ type, payload, taskId }) => {
    const queue = across.aQueue('odd {} 🐎\n');
    await across.client.enqueue(type, payload, { queue, taskId, headers: { '': '', 'ключ\n': '\u0000' } });

    const worker = await across.aGoWorker({ queues: { [queue]: 1 } });
    const run = await worker.hasEnded(taskId);

    expect(run).toMatchObject({ type, queue, headers: { '': '', 'ключ\n': '\u0000' } });
    expect(Buffer.from(run.payload ?? '', 'base64').equals(payload)).toBe(true);
  });
});
