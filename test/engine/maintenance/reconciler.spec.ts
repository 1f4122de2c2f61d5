import { EngineEventEmitter } from '../../../lib/engine/engine-events.js';
import { ThrottledLogger } from '../../../lib/engine/lifecycle/throttled-logger.js';
import { Reconciler } from '../../../lib/engine/maintenance/reconciler.js';
import { ms } from '../../../lib/model/time/duration.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('the reconciler', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  it('Q-20 restores a task that is in no list, but not before a full lease has passed', async () => {
    const id = await test.enqueue();
    await test.redis.lrem(test.keys.pending, 0, id);
    await test.start(() => {});
    let foundAfter = 0;
    for (; foundAfter < 600 && test.happened('healed').length === 0; foundAfter += 5) await test.time.advance('5s');
    expect(test.happened('healed')).toMatchObject([{ queue: test.queue, kind: 'task-without-place', subject: id }]);
    expect(foundAfter).toBeGreaterThanOrEqual(30);
    await test.time.advance('5s');
    await test.untilHappened('completed');
    expect(test.logger.messages('warn').join()).toContain('task-without-place');
  });

  it('Q-20, P-63 lets recovery take an active task without a lease', async () => {
    const id = await test.enqueue();
    await test.redis.multi().lrem(test.keys.pending, 0, id).lpush(test.keys.active, id).exec();
    await test.redis.hset(`${test.keys.taskPrefix}${id}`, 'state', 'active');
    await test.start(() => {}, { retryDelay: () => '1h' });
    await test.time.advance('5m');
    expect(test.happened('healed')).toMatchObject([{ kind: 'active-without-lease', subject: id }]);
    expect(await test.stateOf(id)).toBe('retry');
  });

  it('finds no fault with tasks that run, wait and end', async () => {
    for (let index = 0; index < 20; index += 1) await test.enqueue({ retentionSeconds: 60 });
    await test.start(
      async (task) => {
        if (task.id === 'task-1') await new Promise(() => {});
        if (task.id === 'task-2') throw new Error('again');
      },
      { shutdownTimeout: '1s' },
    );
    await test.time.advance('6m');
    expect(test.happened('healed')).toEqual([]);
  });

  it('confirms a suspicion only when it is a full lease old', async () => {
    const suspicion = { queue: test.queue, kind: 'id-without-task', subject: 'gone' } as const;
    const confirmed: number[] = [];
    const reconciler = new Reconciler({
      maintenance: {
        reconcile: async (request) => {
          confirmed.push(request.confirmed.length);
          return await Promise.resolve({ cursor: 'more', suspicions: [suspicion], healed: [] });
        },
      },
      leases: { maintained: () => [test.queue] },
      clock: test.clock,
      random: () => 0,
      brokerMonitor: { isUp: () => true, upFor: () => ms(0), onUp: () => () => {} },
      events: new EngineEventEmitter(() => {}),
      logger: new ThrottledLogger(test),
    });
    for (let run = 0; run < 4; run += 1) {
      await reconciler.runOnce();
      await test.time.advance('10s');
    }
    expect(confirmed).toEqual([0, 0, 0, 1]);
  });

  it('writes one line and a count for thousands of tasks with the same fault', async () => {
    const healed = Array.from({ length: 2_000 }, (_, index) => {
      return { queue: test.queue, kind: 'task-without-place', subject: `task-${index}` } as const;
    });
    const logger = new ThrottledLogger({ logger: test.logger, clock: test.clock });
    const events = new EngineEventEmitter(() => {});
    let told = 0;
    events.on('healed', () => (told += 1));
    const reconciler = new Reconciler({
      maintenance: { reconcile: async () => await Promise.resolve({ cursor: undefined, suspicions: [], healed }) },
      leases: { maintained: () => [test.queue] },
      clock: test.clock,
      random: () => 0,
      brokerMonitor: { isUp: () => true, upFor: () => ms(0), onUp: () => () => {} },
      events,
      logger,
    });
    await reconciler.runOnce();
    logger.stop();
    expect(told).toBe(2_000);
    expect(test.logger.messages('warn')).toEqual([
      expect.stringContaining('"task-0"'),
      expect.stringContaining('"task-1999") (and 1,998 more in the last'),
    ]);
  });

  it('does no harm when several servers do it at the same time', async () => {
    const id = await test.enqueue();
    await test.redis.lrem(test.keys.pending, 0, id);
    await Promise.all([1, 2, 3].map(async () => await test.start(() => {})));
    await test.time.advance('10m');
    await test.untilHappened('completed');
    expect(test.happened('healed')).toHaveLength(1);
    expect(test.happened('completed')).toHaveLength(1);
  });
});
