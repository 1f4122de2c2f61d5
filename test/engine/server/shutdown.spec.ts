import { aGate, until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('shutdown while tasks run', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  it('S-65 lets a handler finish in time', async () => {
    const gate = aGate();
    const id = await test.enqueue();
    const server = await test.start(async () => await gate.opened);
    await test.untilHappened('started');
    const closing = server.shutdown();
    await test.time.advance('7s');
    gate.open();
    await closing;
    expect(test.happened('completed')).toHaveLength(1);
    expect(await test.stateOf(id)).toBe('gone');
  });

  it('S-66, S-67, S-70, P-90, P-91 puts a task back at the head of its queue after the timeout, without using up a retry', async () => {
    const signals: AbortSignal[] = [];
    const heard: unknown[] = [];
    const id = await test.enqueue();
    const server = await test.start(
      async (task) => {
        signals.push(task.signal);
        await new Promise(() => {});
      },
      { concurrency: 1, errorHandler: (error) => heard.push(error) },
    );
    await test.untilHappened('started');
    const newer = await test.enqueue();
    const before = await test.message(id);
    const closing = server.shutdown();
    await test.time.advance('7900ms');
    expect(signals[0]?.aborted).toBe(false);
    await test.time.advance('200ms');
    await closing;
    expect(signals[0]?.reason).toMatchObject({ code: 'ASYNQ_TASK_ABORTED' });
    expect(await test.stateOf(id)).toBe('pending');
    expect(await test.redis.lrange(test.keys.pending, 0, -1)).toEqual([newer, id]);
    expect(await test.message(id)).toEqual(before);
    expect(await test.redis.exists(test.keys.active, test.keys.lease, test.keys.processed)).toBe(0);
    expect(test.happened('requeued')).toMatchObject([{ task: { id, retried: 0 } }]);
    expect(heard).toEqual([]);
  });

  it('S-68 ends as soon as the timeout is over', async () => {
    await test.enqueue();
    const server = await test.start(async () => await new Promise(() => {}), { shutdownTimeout: '2s' });
    await test.untilHappened('started');
    let closed = false;
    const closing = server.shutdown().then(() => (closed = true));
    await test.time.advance('1900ms');
    expect(closed).toBe(false);
    await test.time.advance('100ms');
    await closing;
  });

  it('puts several tasks back in the order in which they were fetched', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 25; index += 1) ids.push(await test.enqueue());
    const server = await test.start(async () => await new Promise(() => {}), { concurrency: 20 });
    await test.untilHappened('started', 20);
    const closing = server.shutdown();
    await test.time.advance('9s');
    await closing;
    expect((await test.redis.lrange(test.keys.pending, 0, -1)).toReversed()).toEqual(ids);
  });

  it('does not wait for stuck handlers whose outcome is stored', async () => {
    await test.enqueue({ timeoutSeconds: 1 });
    const server = await test.start(async () => await new Promise(() => {}), {
      abortGrace: '1s',
      retryDelay: () => '1h',
    });
    await test.untilHappened('started');
    await test.time.advance('3s');
    await test.untilHappened('retry');
    const before = test.clock.now();
    await server.shutdown();
    expect(test.clock.now()).toBe(before);
  });

  it.each<[string, (reason: unknown) => void]>([
    ['returns', () => {}],
    [
      'throws what its signal says',
      (reason) => {
        throw reason;
      },
    ],
    [
      'throws an error of its own',
      () => {
        throw new Error('interrupted');
      },
    ],
  ])('does not warn of a handler that heeds its signal: it %s', async (_, end) => {
    const id = await test.enqueue();
    const server = await test.start(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      end(signal.reason);
    });
    await test.untilHappened('started');
    const closing = server.shutdown();
    await test.time.advance('9s');
    await closing;
    await test.untilHappened('lateOutcome');
    expect(await test.stateOf(id)).toBe('pending');
    expect([...test.logger.messages('warn'), ...test.logger.messages('error')]).toEqual([]);
  });

  it('S-69, C-88 refuses the results of a handler whose task was put back', async () => {
    const results: unknown[] = [];
    const gate = aGate();
    const id = await test.enqueue({ retentionSeconds: 60 });
    const server = await test.start(async (task) => {
      await gate.opened;
      results.push(await task.writeResult('late').catch((error: unknown) => error));
    });
    await test.untilHappened('started');
    const closing = server.shutdown();
    await test.time.advance('9s');
    await closing;
    gate.open();
    await until('the handler has ended', () => results.length > 0);
    expect(results).toMatchObject([{ code: 'ASYNQ_TASK_ABORTED' }]);
    expect(await test.redis.hexists(`${test.keys.taskPrefix}${id}`, 'result')).toBe(0);
    expect(await test.stateOf(id)).toBe('pending');
  });

  it('fails a task whose deadline had passed, instead of putting it back', async () => {
    const id = await test.enqueue({ timeoutSeconds: 5 });
    const server = await test.start(async () => await new Promise(() => {}), { abortGrace: '1h' });
    await test.untilHappened('started');
    await test.time.advance('6s');
    const closing = server.shutdown();
    await test.time.advance('9s');
    await closing;
    expect(await test.stateOf(id)).toBe('retry');
    expect((await test.message(id)).errorMessage).toBe('context deadline exceeded');
  });

  it('puts everything back at once when the timeout is 0', async () => {
    const id = await test.enqueue();
    const server = await test.start(async () => await new Promise(() => {}), { shutdownTimeout: 0 });
    await test.untilHappened('started');
    const closing = server.shutdown();
    await test.time.advance(0);
    await closing;
    expect(await test.stateOf(id)).toBe('pending');
  });

  it('S-18 leaves no timer behind', async () => {
    const gate = aGate();
    await test.enqueue({ timeoutSeconds: 60 });
    await test.enqueue({}, { kind: 'scheduled', processAt: (test.clock.now() + 60_000) as never });
    const server = await test.start(async () => await gate.opened, { healthCheck: () => {} });
    await test.untilHappened('started');
    expect(test.time.armedTimers).toBeGreaterThan(5);
    gate.open();
    await server.shutdown();
    expect(test.time.armedTimers).toBe(0);
  });

  it('extends leases and receives cancellations while it drains', async () => {
    const id = await test.enqueue();
    const server = await test.start(
      async (task) => {
        await new Promise<void>((resolve) => task.signal.addEventListener('abort', () => resolve(), { once: true }));
        throw new Error('stopped');
      },
      { shutdownTimeout: '5m' },
    );
    await test.untilHappened('started');
    const closing = server.shutdown();
    await test.time.advance('60s');
    expect((await test.leaseOf(id)) ?? 0).toBeGreaterThan(test.clock.now() / 1_000);
    await test.broker.presence.signalCancel(id);
    await test.untilState(id, 'retry');
    await closing;
  });
});
