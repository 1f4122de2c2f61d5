import { RevokeTaskError, SkipRetryError } from '../../../lib/model/errors/control-errors.js';
import type { Task } from '../../../lib/engine/server/handler-task.js';
import { aGate, until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('user callbacks', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  const failWith =
    (error: unknown): (() => never) =>
    () => {
      throw error;
    };

  it.each([
    ['an error', new Error('boom'), 'retry'],
    ['SkipRetryError', new SkipRetryError(), 'archived'],
    ['RevokeTaskError', new RevokeTaskError(), 'revoked'],
  ] as const)('S-52 errorHandler is called once for %s', async (_, error, event) => {
    const heard: unknown[] = [];
    await test.enqueue();
    await test.start(failWith(error), { errorHandler: (failure) => heard.push(failure) });
    await test.untilHappened(event);
    expect(heard).toEqual([error]);
  });

  it('S-53 errorHandler is not called after a success', async () => {
    const heard: unknown[] = [];
    await test.enqueue();
    await test.start(() => {}, { errorHandler: (failure) => heard.push(failure) });
    await test.untilHappened('completed');
    expect(heard).toEqual([]);
  });

  it('S-54 errorHandler is passed the task, which no longer accepts a result', async () => {
    const tasks: Task[] = [];
    const id = await test.enqueue({ payload: Buffer.from('{"a":1}'), headers: { k: 'v' } });
    await test.start(failWith(new Error('boom')), { errorHandler: (_, task) => void tasks.push(task) });
    await test.untilHappened('retry');
    const [task] = tasks;
    expect(task).toMatchObject({ id, type: 'test:task', payload: { a: 1 } });
    expect({ ...task?.headers }).toEqual({ k: 'v' });
    await expect(task?.writeResult('late')).rejects.toMatchObject({ code: 'ASYNQ_INVALID_STATE' });
  });

  it('S-55 the outcome waits for errorHandler', async () => {
    const gate = aGate();
    const id = await test.enqueue();
    const heard: string[] = [];
    await test.start(failWith(new Error('boom')), {
      errorHandler: async () => {
        heard.push(await test.stateOf(id));
        await gate.opened;
      },
    });
    await test.time.advance('4s');
    expect(heard).toEqual(['active']);
    expect(await test.stateOf(id)).toBe('active');
    gate.open();
    await test.untilState(id, 'retry');
  });

  it('the outcome is written without an errorHandler that does not end', async () => {
    const id = await test.enqueue();
    await test.start(failWith(new Error('boom')), { errorHandler: async () => await new Promise(() => {}) });
    await test.time.advance('6s');
    await test.untilState(id, 'retry');
    expect(test.logger.messages('warn').join()).toContain('errorHandler takes longer');
  });

  it.each<[string, () => unknown]>([
    ['throws', failWith(new Error('broken handler'))],
    ['rejects', async () => await Promise.reject(new Error('broken handler'))],
  ])('the outcome is written when errorHandler %s', async (_, errorHandler) => {
    const id = await test.enqueue();
    await test.start(failWith(new Error('boom')), { errorHandler });
    await test.untilState(id, 'retry');
    expect((await test.message(id)).errorMessage).toBe('boom');
    expect(test.logger.messages('error')).toContain('errorHandler failed: broken handler');
  });

  it.each<[string, () => never]>([
    ['throws', failWith(new Error('broken'))],
    ['answers nonsense', () => 'tomorrow' as never],
  ])('S-61 the default delay is used when retryDelay %s', async (_, retryDelay) => {
    const id = await test.enqueue();
    await test.start(failWith(new Error('boom')), { retryDelay });
    const [retry] = await test.untilHappened('retry');
    expect((retry?.retryAt ?? 0) - test.clock.now()).toBeGreaterThanOrEqual(15_000);
    expect((retry?.retryAt ?? 0) - test.clock.now()).toBeLessThanOrEqual(44_000);
    expect(await test.stateOf(id)).toBe('retry');
    expect(test.logger.messages('error').join()).toContain('retryDelay');
  });

  it('an error counts as a failure when isFailure throws', async () => {
    const id = await test.enqueue();
    await test.start(failWith(new Error('boom')), { isFailure: failWith(new Error('broken')) });
    await test.untilHappened('retry');
    expect((await test.message(id)).retried).toBe(1);
    expect(test.logger.messages('error').join()).toContain('isFailure failed');
  });

  it('a listener that throws affects nothing else', async () => {
    const id = await test.enqueue();
    const server = test.create();
    server.events.on('completed', failWith(new Error('listener')));
    await server.start(() => {});
    await test.untilState(id, 'gone');
    // It is announced once the answer is here, which is after it is stored.
    const text = 'A listener of "completed" failed: listener';
    await until('it is logged', () => test.logger.messages('error').join().includes(text));
  });
});
