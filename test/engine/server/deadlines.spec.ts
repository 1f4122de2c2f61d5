import { SkipRetryError } from '../../../lib/model/errors/control-errors.js';
import { toEpochSeconds } from '../../../lib/model/time/duration.js';
import { aGate, until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('a run that takes too long', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  /** Ends when it is told to stop, with what `onAbort` makes of the signal. */
  const obedient =
    (onAbort: (signal: AbortSignal) => unknown) =>
    async (task: { readonly signal: AbortSignal }): Promise<unknown> => {
      await new Promise<void>((resolve) => task.signal.addEventListener('abort', () => resolve(), { once: true }));
      return onAbort(task.signal);
    };

  it('S-43, C-86 archives a task whose deadline has passed, without calling the handler or using up a retry', async () => {
    const seconds = toEpochSeconds(test.clock.now());
    const id = await test.enqueue({ deadlineSeconds: seconds - 10, timeoutSeconds: 0 });
    let calls = 0;
    await test.start(() => void (calls += 1));
    await test.untilHappened('archived');
    expect(calls).toBe(0);
    expect(await test.message(id)).toMatchObject({ retried: 0, errorMessage: 'context deadline exceeded' });
  });

  it('S-44 is aborted through its signal, and retried with the text that Asynq stores', async () => {
    const id = await test.enqueue({ timeoutSeconds: 10 });
    const reasons: unknown[] = [];
    await test.start(
      obedient((signal) => {
        reasons.push(signal.reason);
        throw new Error('gave up');
      }),
    );
    await test.untilHappened('started');
    await test.time.advance('9900ms');
    expect(reasons).toEqual([]);
    await test.time.advance('200ms');
    await test.untilHappened('retry');
    expect(reasons).toEqual([expect.objectContaining({ code: 'ASYNQ_DEADLINE_EXCEEDED' })]);
    expect((await test.message(id)).errorMessage).toBe('context deadline exceeded');
  });

  it('counts as successful when its handler still succeeds', async () => {
    const id = await test.enqueue({ timeoutSeconds: 10 });
    await test.start(obedient(() => 'finished'));
    await test.untilHappened('started');
    await test.time.advance('11s');
    await test.untilHappened('completed');
    expect(await test.stateOf(id)).toBe('gone');
  });

  it('is archived when its handler answers the signal with SkipRetryError, unlike in Asynq', async () => {
    const id = await test.enqueue({ timeoutSeconds: 10 });
    await test.start(
      obedient(() => {
        throw new SkipRetryError('no use');
      }),
    );
    await test.untilHappened('started');
    await test.time.advance('11s');
    await test.untilHappened('archived');
    expect((await test.message(id)).errorMessage).toBe('no use');
  });

  it('has an aborted signal when the signal is read late', async () => {
    const gate = aGate();
    const seen: boolean[] = [];
    await test.enqueue({ timeoutSeconds: 10 });
    await test.start(async (task) => {
      await gate.opened;
      seen.push(task.signal.aborted);
    });
    await test.untilHappened('started');
    await test.time.advance('12s');
    gate.open();
    await test.untilHappened('completed');
    expect(seen).toEqual([true]);
  });

  it('is settled and reported as stuck after its grace, and keeps its slot until it ends', async () => {
    const gate = aGate();
    const stuck = await test.enqueue({ timeoutSeconds: 10 });
    let calls = 0;
    const handler = async (): Promise<void> => {
      calls += 1;
      if (calls === 1) await gate.opened;
    };
    await test.start(handler, { concurrency: 1, abortGrace: '3s', retryDelay: () => '1h' });
    await test.untilHappened('started');
    const waiting = await test.enqueue();
    await test.time.advance('12s');
    expect(test.happened('stuck')).toEqual([]);
    await test.time.advance('1100ms');
    expect(test.happened('stuck')).toMatchObject([{ task: { id: stuck }, runningFor: 13_000 }]);
    expect(await test.stateOf(stuck)).toBe('retry');
    expect((await test.message(stuck)).errorMessage).toBe('context deadline exceeded');
    expect(test.logger.messages('warn').join()).toContain(`Task "${stuck}" of type "test:task" is stuck`);
    await test.time.advance('10s');
    expect(await test.stateOf(waiting)).toBe('pending');
    gate.open();
    await test.untilState(waiting, 'gone');
    expect(test.happened('lateOutcome')).toMatchObject([{ task: { id: stuck }, outcome: 'success' }]);
  });

  it('frees its slot with stuckPolicy: release', async () => {
    const gate = aGate();
    await test.enqueue({ timeoutSeconds: 10 });
    let calls = 0;
    const handler = async (): Promise<void> => {
      calls += 1;
      if (calls === 1) await gate.opened;
    };
    await test.start(handler, { concurrency: 1, abortGrace: '3s', stuckPolicy: 'release', retryDelay: () => '1h' });
    await test.untilHappened('started');
    const waiting = await test.enqueue();
    await test.time.advance('14s');
    await test.untilState(waiting, 'gone');
    expect(test.happened('stuck')).toHaveLength(1);
    gate.open();
    await test.untilHappened('lateOutcome');
  });

  it('S-42 gets half an hour when its message has no limit, which is logged', async () => {
    const deadlines: number[] = [];
    await test.enqueue({ timeoutSeconds: 0, deadlineSeconds: 0 });
    await test.start((task) => void deadlines.push(task.deadline.getTime()));
    await test.untilHappened('completed');
    expect(deadlines).toEqual([test.clock.now() + 1_800_000]);
    expect(test.logger.messages('error').join()).toContain('neither a timeout nor a deadline');
  });

  it('ends each of many runs at its own deadline with one timer', async () => {
    const ended: number[] = [];
    for (const timeoutSeconds of [5, 1, 3, 2, 4]) await test.enqueue({ timeoutSeconds });
    const begin = test.clock.now();
    await test.start(
      obedient(() => {
        ended.push(test.clock.now() - begin);
        throw new Error('late');
      }),
    );
    await test.untilHappened('started', 5);
    await test.time.advance('6s');
    await until('all have ended', () => ended.length === 5);
    expect(ended).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
  });
});
