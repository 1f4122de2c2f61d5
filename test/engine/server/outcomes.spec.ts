import { RevokeTaskError, SkipRetryError, SnoozeError } from '../../../lib/model/errors/control-errors.js';
import { jsonCodec } from '../../../lib/model/task/payload.codec.js';
import { toEpochSeconds } from '../../../lib/model/time/duration.js';
import { dayKey } from '../../../lib/redis/keys.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('the outcome of a run', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  const counter = async (name: 'processed' | 'failed'): Promise<number> =>
    Number(await test.redis.get(dayKey(test.keys[name], test.clock.now())));

  it('S-45, P-67, P-69 deletes a task that succeeded, and counts it', async () => {
    const id = await test.enqueue();
    await test.start(() => 'ignored without retention');
    const [completed] = await test.untilHappened('completed');
    expect(completed?.task).toEqual({ id, type: 'test:task', queue: test.queue, retried: 0, maxRetry: 25 });
    expect(await test.stateOf(id)).toBe('gone');
    expect(await test.redis.lrange(test.keys.active, 0, -1)).toEqual([]);
    expect(await counter('processed')).toBe(1);
    expect(await counter('failed')).toBe(0);
  });

  it('S-46, P-68 keeps a task that succeeded for its retention, with its result', async () => {
    const id = await test.enqueue({ retentionSeconds: 60 });
    await test.start(async () => await Promise.resolve({ sent: 1 }));
    await test.untilHappened('completed');
    const seconds = toEpochSeconds(test.clock.now());
    expect(await test.stateOf(id)).toBe('completed');
    expect(Number(await test.redis.zscore(test.keys.completed, id))).toBe(seconds + 60);
    expect((await test.message(id)).completedAtSeconds).toBe(seconds);
    expect(await test.redis.hget(`${test.keys.taskPrefix}${id}`, 'result')).toBe('{"sent":1}');
  });

  it('has payload, headers and result, which are decoded when they are read', async () => {
    const decoded: string[] = [];
    const decode = (bytes: Uint8Array): unknown => void decoded.push(Buffer.from(bytes).toString());
    const headers = Object.assign(Object.create(null) as Record<string, string>, { trace: 'abc' });
    await test.enqueue({ payload: Buffer.from('"hello"'), headers });
    await test.start(() => ({ sent: 1 }), { codec: { ...jsonCodec, decode } });
    const [completed] = await test.untilHappened('completed');
    expect(completed?.result).toEqual({ sent: 1 });
    expect({ ...completed?.task.headers }).toEqual({ trace: 'abc' });
    expect(completed?.task.rawPayload.toString()).toBe('"hello"');
    expect(decoded).toEqual([]);
    expect(completed?.task.payload).toBeUndefined();
    expect(decoded).toEqual(['"hello"']);
  });

  it('has the payload when it is a failure, too', async () => {
    await test.enqueue({ payload: Buffer.from('{"n":1}') });
    await test.enqueue({ payload: Buffer.from('{"n":2}'), maxRetry: 0 });
    await test.start(async () => await Promise.reject(new Error('boom')));
    const [retry] = await test.untilHappened('retry');
    const [archived] = await test.untilHappened('archived');
    expect([retry?.task.payload, archived?.task.payload]).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('completes a task whose result cannot be encoded, and says so', async () => {
    const id = await test.enqueue({ retentionSeconds: 60 });
    await test.start(() => 10n);
    await test.untilState(id, 'completed');
    expect(test.logger.messages('error').join()).toContain('is not stored: the result cannot be encoded');
  });

  it('completes a task from whose result JSON would lose something, and says what', async () => {
    const id = await test.enqueue({ retentionSeconds: 60 });
    await test.start(() => ({ sent: [{ tags: new Set() }] }));
    await test.untilState(id, 'completed');
    expect(test.logger.messages('error').join()).toContain(
      `The result of task "${id}" of type "test:task" is not stored: the result cannot be encoded: JSON would lose a Set at result.sent[0].tags`,
    );
    expect(await test.redis.hget(`${test.keys.taskPrefix}${id}`, 'result')).toBeNull();
  });

  it('stores the JSON form of a result when strictPayload is off', async () => {
    const id = await test.enqueue({ retentionSeconds: 60 });
    await test.start(() => ({ sent: new Set() }), { strictPayload: false });
    await test.untilState(id, 'completed');
    expect(await test.redis.hget(`${test.keys.taskPrefix}${id}`, 'result')).toBe('{"sent":{}}');
  });

  it('S-47, P-78, P-79 retries a task that failed after the delay, and counts the failure', async () => {
    const id = await test.enqueue();
    await test.start(async () => await Promise.reject(new Error('boom')), { retryDelay: () => '90s' });
    const [retry] = await test.untilHappened('retry');
    const now = test.clock.now();
    expect(retry).toMatchObject({ task: { id, retried: 1 }, retryAt: now + 90_000 });
    expect(await test.stateOf(id)).toBe('retry');
    expect(Number(await test.redis.zscore(test.keys.retry, id))).toBe(Math.ceil((now + 90_000) / 1_000));
    expect(await test.message(id)).toMatchObject({
      retried: 1,
      errorMessage: 'boom',
      lastFailedAtSeconds: toEpochSeconds(now),
    });
    expect([await counter('processed'), await counter('failed')]).toEqual([1, 1]);
  });

  it('S-48, S-62 archives a task whose retries are used up, its counter unchanged', async () => {
    const spent = await test.enqueue({ retried: 3, maxRetry: 3 });
    const none = await test.enqueue({ maxRetry: 0 });
    await test.start(() => {
      throw new Error('boom');
    });
    await test.untilHappened('archived', 2);
    expect(await test.stateOf(spent)).toBe('archived');
    expect(await test.stateOf(none)).toBe('archived');
    expect(await test.message(spent)).toMatchObject({ retried: 3, errorMessage: 'boom' });
  });

  it.each([
    ['bare', () => new SkipRetryError(), 'skip retry for the task'],
    ['wrapped', () => new Error('no account', { cause: new SkipRetryError() }), 'no account: skip retry for the task'],
  ])('S-49 archives at once on a %s SkipRetryError, with its full text', async (_, error, text) => {
    const id = await test.enqueue();
    await test.start(() => {
      throw error();
    });
    await test.untilHappened('archived');
    expect(await test.stateOf(id)).toBe('archived');
    expect((await test.message(id)).errorMessage).toBe(text);
  });

  it.each([
    ['bare', () => new RevokeTaskError()],
    ['wrapped', () => new Error('withdrawn', { cause: new RevokeTaskError() })],
  ])('S-50, S-51 drops a task on a %s RevokeTaskError, whatever its retention', async (_, error) => {
    const id = await test.enqueue({ retentionSeconds: 60 });
    await test.start(() => {
      throw error();
    });
    await test.untilHappened('revoked');
    expect(await test.stateOf(id)).toBe('gone');
    expect(await test.redis.zcard(test.keys.completed)).toBe(0);
    expect([await counter('processed'), await counter('failed')]).toEqual([1, 0]);
  });

  it('puts a task back on a SnoozeError and runs it again at its time, without using up a retry', async () => {
    const id = await test.enqueue();
    let runs = 0;
    await test.start(() => {
      runs += 1;
      if (runs === 1) throw new SnoozeError('1500ms');
    });
    await test.untilHappened('snoozed');
    expect(await test.stateOf(id)).toBe('scheduled');
    expect(await test.message(id)).toMatchObject({ retried: 0, errorMessage: '' });
    await test.time.advance('1499ms');
    expect(runs).toBe(1);
    await test.time.advance('10ms');
    await test.untilHappened('completed');
    expect(runs).toBe(2);
    expect(await counter('failed')).toBe(0);
  });

  it('S-56, P-81 neither counts an error that is not a failure nor uses up a retry for it', async () => {
    const id = await test.enqueue();
    await test.start(
      () => {
        throw new Error('busy');
      },
      { isFailure: (error) => (error as Error).message !== 'busy' },
    );
    await test.untilHappened('retry');
    expect(await test.message(id)).toMatchObject({ retried: 0, errorMessage: 'busy' });
    expect([await counter('processed'), await counter('failed')]).toEqual([0, 0]);
  });

  it('S-57 archives at the limit even if the error is not a failure', async () => {
    const id = await test.enqueue({ maxRetry: 0 });
    await test.start(
      () => {
        throw new Error('busy');
      },
      { isFailure: () => false },
    );
    await test.untilHappened('archived');
    expect(await test.stateOf(id)).toBe('archived');
  });

  it('S-60 passes retryDelay the counter before the failure, the error and the task', async () => {
    const id = await test.enqueue({ retried: 2, headers: { tenant: 'a' } });
    const error = new Error('boom');
    const calls: unknown[] = [];
    await test.start(
      () => {
        throw error;
      },
      {
        retryDelay: (retried, failure, task) => {
          calls.push([retried, failure, task.id, task.type, { ...task.headers }]);
          return '1h';
        },
      },
    );
    await test.untilHappened('retry');
    expect(calls).toEqual([[2, error, id, 'test:task', { tenant: 'a' }]]);
  });

  it.each([
    ['a string', 'just text', 'just text'],
    ['undefined', undefined, 'the handler threw undefined'],
    ['a frozen object', Object.freeze({ a: 1 }), 'the handler threw { a: 1 }'],
    ['an error of 10 MB', new Error('x'.repeat(10_000_000)), undefined],
  ])('S-58 retries a task whose handler throws %s', async (_, thrown, text) => {
    const id = await test.enqueue();
    await test.start(() => {
      throw thrown;
    });
    await test.untilHappened('retry');
    const { errorMessage } = await test.message(id);
    expect(errorMessage.length).toBeLessThanOrEqual(65_536);
    if (text !== undefined) expect(errorMessage).toBe(text);
  });
});
