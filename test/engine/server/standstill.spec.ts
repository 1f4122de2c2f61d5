import type { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import type { Task } from '../../../lib/engine/server/handler-task.js';
import { TaskMux } from '../../../lib/engine/server/task-mux.js';
import { ms } from '../../../lib/model/time/duration.js';
import { StandstillClock } from '../../support/standstill-clock.js';
import { AnswerSockets, type UnreadAnswer } from '../../support/unread-answer.js';
import { aGate } from '../../support/until.js';
import { eventLoopTurns } from '../../support/virtual-clock.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('a server whose process stands still', () => {
  let test: ServerUnderTest;
  let clock: StandstillClock;
  const sockets = new AnswerSockets();
  let answer: UnreadAnswer;

  beforeEach(async () => {
    test = ServerUnderTest.open();
    clock = new StandstillClock();
    answer = await sockets.next();
  });

  afterEach(async () => {
    await test.close();
    sockets.close();
  });

  /** What was waited for arrives in time, and is not read before everything that has become due meanwhile has fired. */
  const standStill = async (length: number): Promise<void> => {
    // No more is read in this turn of the event loop.
    await eventLoopTurns(1);
    answer.arrive();
    clock.standStill(ms(length));
  };

  const names = (): readonly string[] => test.happenings.map(({ name }) => name);

  it('does not tell a handler to stop whose answer has arrived', async () => {
    await test.enqueue({ timeoutSeconds: 10 });
    const handler = async ({ signal }: Task): Promise<void> => {
      await answer.read;
      signal.throwIfAborted();
    };
    await test.start(handler, { clock });
    await test.untilHappened('started');
    await standStill(60_000);
    await test.untilHappened('completed');
    expect(names()).not.toContain('retry');
  });

  it('tells a handler to stop that is still waiting', async () => {
    await test.enqueue({ timeoutSeconds: 10 });
    const handler = async ({ signal }: Task): Promise<void> => {
      await answer.read;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      throw new Error('told to stop');
    };
    await test.start(handler, { clock });
    await test.untilHappened('started');
    await standStill(60_000);
    const [retry] = await test.untilHappened('retry');
    expect(retry).toMatchObject({ error: { code: 'ASYNQ_DEADLINE_EXCEEDED' } });
  });

  it('does not give up a handler that has reacted to its signal', async () => {
    const id = await test.enqueue();
    const server = await test.start(
      async ({ signal }) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        await answer.read;
      },
      { clock, abortGrace: '5s' },
    );
    await test.untilHappened('started');
    await test.broker.presence.cancel({ queue: test.queue, taskId: id, outcome: 'archive', now: clock.now() });
    await test.untilHappened('canceled');
    await standStill(60_000);
    await test.untilHappened('completed');
    expect(names()).not.toContain('stuck');
    await server.shutdown();
  });

  it('does not put a finished task back on shutdown', async () => {
    const id = await test.enqueue();
    const server = await test.start(async () => void (await answer.read), { clock, shutdownTimeout: '8s' });
    await test.untilHappened('started');
    const shutdown = server.shutdown();
    await eventLoopTurns(5);
    await standStill(60_000);
    await shutdown;
    expect(names()).toContain('completed');
    expect(names()).not.toContain('requeued');
    expect(await test.stateOf(id)).toBe('gone');
  });

  it('waits for an error handler that has ended', async () => {
    await test.enqueue();
    const told = aGate();
    const errorHandler = async (): Promise<void> => {
      told.open();
      await answer.read;
    };
    await test.start(() => Promise.reject(new Error('failed')), { clock, errorHandler });
    await told.opened;
    await standStill(60_000);
    await test.untilHappened('retry');
    expect(test.logger.messages('warn').join()).not.toContain('errorHandler takes longer');
  });

  it('does not let a handler use up the time of those that start after it', async () => {
    const computing = await test.enqueue({ timeoutSeconds: 10 });
    await test.enqueue({ timeoutSeconds: 10 });
    await test.enqueue({ timeoutSeconds: 10 });
    const handler = async ({ id, signal }: Task): Promise<void> => {
      if (id === computing) clock.standStill(ms(20_000));
      else await eventLoopTurns(20);
      signal.throwIfAborted();
    };
    await test.start(handler, { clock });
    await test.untilHappened('completed', 3);
    expect(names()).not.toContain('retry');
  });

  describe('while it aggregates', () => {
    beforeEach(async () => {
      await test.enqueue({ group: 'g' }, { kind: 'aggregating' });
    });

    const aggregate = async (): Promise<AsynqServer> => {
      const asked = aGate();
      const server = await test.start(new TaskMux(), {
        clock,
        groupMaxSize: 1,
        aggregator: async () => {
          asked.open();
          await answer.read;
          return ['digest', 'combined'];
        },
      });
      await asked.opened;
      return server;
    };

    it('stores on shutdown what the aggregator has finished', async () => {
      const server = await aggregate();
      const shutdown = server.shutdown();
      await standStill(60_000);
      await shutdown;
      expect(names()).toEqual(['aggregated']);
    });

    it('finishes a set past its deadline if it has not been returned', async () => {
      await aggregate();
      await standStill(180_000);
      await test.untilHappened('aggregated');
      expect(names()).not.toContain('aggregationFailed');
    });
  });
});
