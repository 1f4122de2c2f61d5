import { RevokeTaskError } from '../../../lib/model/errors/control-errors.js';
import type { Task } from '../../../lib/engine/server/handler-task.js';
import type { CancelOutcome } from '../../../lib/model/broker/presence.contract.js';
import { startRedis } from '../../support/redis-server.js';
import { faultyBroker } from '../../support/faulty-broker.js';
import { aGate, until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';
import { signalListener } from '../../support/signal-listener.js';

describe('cancellation', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open();
  });

  afterEach(async () => await test.close());

  const aborted = async (task: Task): Promise<void> => {
    const { signal } = task;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  };

  const cancel = async (taskId: string, outcome: CancelOutcome): Promise<string> =>
    await test.broker.presence.cancel({ queue: test.queue, taskId, outcome, now: test.clock.now() });

  it('S-98, S-100, P-110 by an Asynq message fails the run with the text that Asynq stores', async () => {
    const [first, second] = [await test.enqueue(), await test.enqueue()];
    const reasons: unknown[] = [];
    await test.start(async (task) => {
      await aborted(task);
      reasons.push(task.signal.reason);
      throw new Error('stopped');
    });
    await test.untilHappened('started', 2);
    await test.untilSubscribed();
    await test.redis.publish('asynq:cancel', 'somebody-else');
    await test.redis.publish('asynq:cancel', first);
    await test.untilState(first, 'retry');
    expect(await test.message(first)).toMatchObject({ retried: 1, errorMessage: 'context canceled' });
    expect(reasons).toMatchObject([{ code: 'ASYNQ_TASK_CANCELED' }]);
    expect(test.happened('canceled')).toMatchObject([{ task: { id: first } }]);
    expect(await test.stateOf(second)).toBe('active');
    await test.redis.publish('asynq:cancel', second);
    await test.untilState(second, 'retry');
  });

  it.each<[CancelOutcome, string]>([
    ['archive', 'archived'],
    ['delete', 'gone'],
    ['retry', 'retry'],
  ])('with outcome: %s leaves the task %s', async (outcome, state) => {
    const id = await test.enqueue();
    await test.start(async (task) => {
      await aborted(task);
      throw new Error('stopped');
    });
    await test.untilHappened('started');
    await test.untilSubscribed();
    expect(await cancel(id, outcome)).toBe('signaled');
    await test.untilState(id, state);
    if (state !== 'gone') expect((await test.message(id)).errorMessage).toBe('context canceled');
  });

  it('D-S7 lets the handler decide the outcome', async () => {
    const [revoking, finishing] = [await test.enqueue(), await test.enqueue({ retentionSeconds: 60 })];
    await test.start(async (task) => {
      await aborted(task);
      if (task.id === revoking) throw new RevokeTaskError();
      return 'done anyway';
    });
    await test.untilHappened('started', 2);
    await test.untilSubscribed();
    await cancel(revoking, 'archive');
    await cancel(finishing, 'archive');
    await test.untilState(revoking, 'gone');
    await test.untilState(finishing, 'completed');
  });

  it('applies the requested outcome when the handler ignores it', async () => {
    const id = await test.enqueue();
    await test.start(async () => await new Promise(() => {}), { abortGrace: '50ms', shutdownTimeout: 0 });
    await test.untilHappened('started');
    await test.untilSubscribed();
    await cancel(id, 'archive');
    await test.untilHappened('stuck');
    await test.untilState(id, 'archived');
  });

  it('D-S4 with a queue reaches only that queue’s task, even if another queue has the same id', async () => {
    const other = test.anotherQueue();
    await test.enqueue({ id: 'twin' });
    await test.enqueue({ id: 'twin', queue: other });
    await test.start(
      async (task) => {
        await aborted(task);
        throw new Error('stopped');
      },
      { queues: { [test.queue]: 1, [other]: 1 }, shutdownTimeout: 0 },
    );
    await test.untilHappened('started', 2);
    await test.untilSubscribed();
    await cancel('twin', 'archive');
    await test.untilState('twin', 'archived');
    expect(await test.stateOf('twin', other)).toBe('active');
    expect(test.happened('canceled')).toHaveLength(1);
  });

  it('finds a task that was dequeued while the reply was in transit', async () => {
    const id = await test.enqueue();
    let runs = 0;
    const gate = aGate();
    const broker = faultyBroker(test.broker);
    broker.faults.dequeue.push(gate.opened);
    await test.start(() => void (runs += 1), { broker });
    await test.untilState(id, 'active');
    await test.untilSubscribed();
    expect(await cancel(id, 'archive')).toBe('signaled');
    await heardBySubscribers(test);
    gate.open();
    await test.untilState(id, 'archived');
    expect(runs).toBe(0);
  });

  it('S-99 is received again after Redis was away', async () => {
    const redis = await startRedis({ appendonly: true });
    const away = ServerUnderTest.open({ url: redis.url });
    await away.start(async (task) => {
      await aborted(task);
      throw new Error('stopped');
    });
    await away.untilSubscribed();
    await redis.kill();
    await redis.start();
    await until('it is subscribed again', async () => {
      return Number((await away.redis.pubsub('NUMSUB', 'asynq:cancel'))[1]) > 0;
    });
    const id = await away.enqueue();
    await away.untilHappened('started');
    await away.redis.publish('asynq:cancel', id);
    await away.untilState(id, 'retry');
    await away.close();
    await redis.stop();
  });
});

/** Everything published so far has been heard: what comes later on the server's own subscription comes after it. */
async function heardBySubscribers(test: ServerUnderTest): Promise<void> {
  const gate = aGate();
  const listener = signalListener({ onCancel: (taskId) => (taskId === 'marker' ? gate.open() : undefined) });
  const unsubscribe = await test.broker.presence.subscribe(listener);
  await test.broker.presence.signalCancel('marker');
  await gate.opened;
  await unsubscribe();
}
