import { inspect } from 'node:util';
import type { Task } from '../../../lib/engine/server/handler-task.js';
import { until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('the task passed to a handler', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open();
  });

  afterEach(async () => await test.close());

  const firstTask = async (): Promise<Task> => {
    const tasks: Task[] = [];
    await test.start((task) => void tasks.push(task));
    await until('a handler was called', () => tasks.length > 0);
    return tasks[0] as Task;
  };

  it('C-83, S-64 has its id, type and payload, but not its options', async () => {
    const headers = Object.assign(Object.create(null) as Record<string, string>, { trace: 'abc' });
    const before = Date.now();
    const id = await test.enqueue({ payload: Buffer.from('{"a":[1]}'), retried: 2, maxRetry: 7, headers });
    const task = await firstTask();
    expect(task).toMatchObject({
      id,
      type: 'test:task',
      queue: test.queue,
      retried: 2,
      maxRetry: 7,
      payload: { a: [1] },
    });
    expect(task.rawPayload.toString()).toBe('{"a":[1]}');
    expect({ ...task.headers }).toEqual({ trace: 'abc' });
    expect(Object.isFrozen(task.headers)).toBe(true);
    expect(task.deadline.getTime()).toBeGreaterThanOrEqual(before + 1_800_000);
    expect(task.signal.aborted).toBe(false);
    expect('timeout' in task || 'retention' in task).toBe(false);
  });

  it('has no headers rather than undefined ones, and an undefined payload without bytes', async () => {
    await test.enqueue();
    const task = await firstTask();
    expect(Object.keys(task.headers)).toEqual([]);
    expect(task.payload).toBeUndefined();
    expect(task.rawPayload).toHaveLength(0);
  });

  it('is archived at once when its payload does not decode', async () => {
    const id = await test.enqueue({ payload: Buffer.from('{"a":') });
    await test.start((task) => task.payload);
    await test.untilHappened('archived');
    expect(await test.message(id)).toMatchObject({
      retried: 0,
      errorMessage: expect.stringContaining('does not decode'),
    });
  });

  it('never decodes a payload that is not read', async () => {
    const id = await test.enqueue({ payload: Buffer.from('{"a":') });
    await test.start((task) => task.rawPayload.length);
    await test.untilState(id, 'gone');
  });

  it('C-87, C-89, P-74 writes results that replace each other and stay with the completed task', async () => {
    const id = await test.enqueue({ retentionSeconds: 60 });
    const seen: (string | null)[] = [];
    const key = `${test.keys.taskPrefix}${id}`;
    await test.start(async (task) => {
      await task.writeResult({ step: 1 });
      seen.push(await test.redis.hget(key, 'result'));
      await task.writeResult(Buffer.from([1, 2, 255]));
    });
    await test.untilState(id, 'completed');
    expect(seen).toEqual(['{"step":1}']);
    expect(await test.redis.hgetBuffer(key, 'result')).toEqual(Buffer.from([1, 2, 255]));
  });

  it('C-89 keeps no result without retention', async () => {
    const id = await test.enqueue();
    await test.start(async (task) => {
      await task.writeResult('x');
      return 'y';
    });
    await test.untilState(id, 'gone');
  });

  it('keeps what was written when the handler returns nothing, and replaces it when it returns something', async () => {
    const [written, returned] = [
      await test.enqueue({ retentionSeconds: 60 }),
      await test.enqueue({ retentionSeconds: 60 }),
    ];
    await test.start(async (task) => {
      await task.writeResult('written');
      return task.id === returned ? 'returned' : undefined;
    });
    await test.untilState(written, 'completed');
    await test.untilState(returned, 'completed');
    expect(await test.redis.hget(`${test.keys.taskPrefix}${written}`, 'result')).toBe('"written"');
    expect(await test.redis.hget(`${test.keys.taskPrefix}${returned}`, 'result')).toBe('"returned"');
  });

  it('refuses a result that cannot be encoded, and one after the run has ended', async () => {
    const tasks: Task[] = [];
    const refusals: unknown[] = [];
    const id = await test.enqueue({ retentionSeconds: 60 });
    await test.start(async (task) => {
      tasks.push(task);
      for (const result of [1n, { at: Number.NaN }])
        await task.writeResult(result).catch((error) => refusals.push(error));
    });
    await test.untilState(id, 'completed');
    const lost = expect.stringContaining('the result cannot be encoded: JSON would lose NaN at result.at') as string;
    expect(refusals).toMatchObject([{ code: 'ASYNQ_INVALID_TASK' }, { code: 'ASYNQ_INVALID_TASK', message: lost }]);
    await expect(tasks[0]?.writeResult('late')).rejects.toMatchObject({ code: 'ASYNQ_INVALID_STATE' });
    expect(await test.redis.hexists(`${test.keys.taskPrefix}${id}`, 'result')).toBe(0);
  });

  it('P-76, Q-26 refuses a result for a task that is gone, and creates no stub', async () => {
    const refusals: unknown[] = [];
    const id = await test.enqueue();
    const key = `${test.keys.taskPrefix}${id}`;
    await test.start(async (task) => {
      await test.redis.del(key);
      refusals.push(await task.writeResult('x').catch((error: unknown) => error));
    });
    await until('the handler has ended', () => refusals.length > 0);
    expect(refusals).toMatchObject([{ code: 'ASYNQ_INVALID_STATE' }]);
    expect(await test.redis.exists(key)).toBe(0);
  });

  it('prints and serializes with its payload decoded', async () => {
    const id = await test.enqueue({ payload: Buffer.from('{"a":{"b":[1]}}'), maxRetry: 7 });
    const task = await firstTask();
    const shown = { id, type: 'test:task', queue: test.queue, payload: { a: { b: [1] } }, retried: 0, maxRetry: 7 };
    expect(JSON.parse(JSON.stringify(task))).toEqual({ ...shown, deadline: task.deadline.toISOString() });
    expect(inspect(task)).toMatch(/^Task \{\s+id: '.*payload: \{ a: \{ b: \[Array\] \} \},/s);
    expect(inspect(task)).not.toMatch(/headers|signal|Buffer/);
    const validated = task.withPayload({ at: new Date(0), bytes: Buffer.alloc(1) });
    expect(JSON.parse(JSON.stringify(validated))).toMatchObject({ id, payload: { at: '1970-01-01T00:00:00.000Z' } });
    expect(inspect(task.withPayload(Buffer.alloc(1_000)))).toContain("payload: '<1000 bytes>'");
  });

  it('uses the codec that the server was given', async () => {
    const codec = {
      encode: (value: unknown) => Buffer.from(`<${String(value)}>`),
      decode: (bytes: Uint8Array) => Buffer.from(bytes).toString().slice(1, -1),
    };
    const id = await test.enqueue({ payload: Buffer.from('<hello>'), retentionSeconds: 60 });
    await test.start((task) => `${String(task.payload)} there`, { codec });
    await test.untilState(id, 'completed');
    expect(await test.redis.hget(`${test.keys.taskPrefix}${id}`, 'result')).toBe('<hello there>');
  });
});
