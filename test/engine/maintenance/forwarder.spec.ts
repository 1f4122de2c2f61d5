import { addMs, type EpochMs, epochMs, ms } from '../../../lib/model/time/duration.js';
import { queueKeys } from '../../../lib/redis/keys.js';
import { faultyBroker } from '../../support/faulty-broker.js';
import { seededRandom } from '../../support/seeded-random.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('forwarding', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  const dueIn = (delay: number): { readonly kind: 'scheduled'; readonly processAt: EpochMs } => ({
    kind: 'scheduled',
    processAt: addMs(test.clock.now(), ms(delay)),
  });

  it('S-105, S-106, S-108 runs a task at its time, not at the end of the next interval', async () => {
    const starts: number[] = [];
    const begin = test.clock.now();
    const other = test.anotherQueue();
    await test.enqueue({}, dueIn(1_250));
    await test.enqueue({ queue: other }, dueIn(2_500));
    await test.enqueue({}, dueIn(3_600_000));
    await test.start(() => void starts.push(test.clock.now() - begin), {
      queues: { [test.queue]: 1, [other]: 1 },
      delayedTaskCheckInterval: '1h',
    });
    await test.time.advance('10s');
    expect(starts).toEqual([1_250, 2_500]);
  });

  it('S-107 moves more than a hundred at once', async () => {
    for (let index = 0; index < 250; index += 1) await test.enqueue({}, dueIn(1_000));
    await test.start(() => {}, { concurrency: 300 });
    await test.time.advance('1s');
    await test.untilHappened('completed', 250);
  });

  it('hears of tasks that other processes schedule while it runs', async () => {
    const starts: number[] = [];
    await test.start(() => void starts.push(test.clock.now()), { delayedTaskCheckInterval: '1h' });
    await test.untilSubscribed();
    await test.time.advance('1s');
    const place = dueIn(2_345);
    await test.enqueue({}, place);
    await test.time.advance('5s');
    expect(starts).toEqual([place.processAt]);
  });

  it('runs tasks in time that were scheduled after its first check and before it received signals', async () => {
    const starts: number[] = [];
    const broker = faultyBroker(test.broker);
    broker.faults.subscribe.push('lost-before');
    await test.start(() => void starts.push(test.clock.now()), { broker, delayedTaskCheckInterval: '1h' });
    await test.time.settle();
    const place = dueIn(7_345);
    await test.enqueue({}, place);
    await test.time.advance('10s');
    expect(starts).toEqual([place.processAt]);
  });

  it('finds within the interval tasks that a program without signals schedules', async () => {
    await test.start(() => {}, { delayedTaskCheckInterval: '5s' });
    await test.time.settle();
    const id = await test.enqueue({ queue: test.anotherQueue() }, dueIn(1_000));
    const from = (await test.redis.keys(`asynq:{server-*}:t:${id}`))[0] ?? '';
    await test.redis.rename(from, `${test.keys.taskPrefix}${id}`);
    await test.redis.zadd(test.keys.scheduled, Math.ceil((test.clock.now() + 1_000) / 1_000), id);
    await test.time.advance('7s');
    await test.untilHappened('completed');
  });

  it('runs a retry at its exact instant', async () => {
    const starts: number[] = [];
    await test.enqueue();
    await test.start(
      (task) => {
        starts.push(test.clock.now());
        if (task.retried < 3) throw new Error('again');
      },
      { retryDelay: (retried) => 1_234 * (retried + 1), delayedTaskCheckInterval: '1h' },
    );
    await test.untilHappened('retry');
    await test.time.advance('30s');
    await test.untilHappened('completed');
    const [first = 0] = starts;
    expect(starts.map((at) => at - first)).toEqual([0, 1_234, 3_702, 7_404]);
  });

  it('S-25, P-54 continues while the queue is paused', async () => {
    await test.redis.set(test.keys.paused, '1');
    const id = await test.enqueue({}, dueIn(1_000));
    await test.start(() => {});
    await test.time.advance('2s');
    expect(await test.stateOf(id)).toBe('pending');
  });

  it('starts no task early among many with random due times', async () => {
    const random = seededRandom(7);
    const dueAt = new Map<string, number>();
    for (let index = 0; index < 200; index += 1) {
      const place = dueIn(Math.floor(random() * 5_000));
      dueAt.set(await test.enqueue({}, place), place.processAt);
    }
    const lateness: number[] = [];
    await test.start((task) => void lateness.push(test.clock.now() - (dueAt.get(task.id) ?? 0)), { concurrency: 200 });
    await test.time.advance('6s');
    expect(lateness).toHaveLength(200);
    expect(Math.min(...lateness)).toBe(0);
    expect(Math.max(...lateness)).toBeLessThanOrEqual(1);
  });

  it('S-109, P-50, P-51 puts a delayed task whose hash names a group into that group', async () => {
    const id = await test.enqueue({ group: 'g' }, dueIn(1_000));
    await test.redis.hset(`${test.keys.taskPrefix}${id}`, 'group', 'g');
    await test.start(() => {});
    await test.time.advance('2s');
    expect(await test.stateOf(id)).toBe('aggregating');
    expect(await test.redis.zscore(`${test.keys.groupPrefix}g`, id)).not.toBeNull();
    expect(await test.redis.smembers(test.keys.groups)).toEqual(['g']);
  });
});

describe('the janitor', () => {
  it('S-103, S-104, P-75 deletes completed tasks past their retention, in every queue and however many', async () => {
    const test = ServerUnderTest.open({ time: 'virtual' });
    const other = test.anotherQueue();
    for (let index = 0; index < 12; index += 1) await test.enqueue({ retentionSeconds: 30 });
    const kept = await test.enqueue({ retentionSeconds: 3_600 });
    const away = await test.enqueue({ queue: other, retentionSeconds: 30 });
    await test.start(() => {}, { queues: { [test.queue]: 1, [other]: 1 }, janitorInterval: '8s', janitorBatchSize: 5 });
    await test.untilHappened('completed', 14);
    await test.time.advance('29s');
    expect(await test.redis.zcard(test.keys.completed)).toBe(13);
    await test.time.advance('10s');
    expect(await test.redis.zrange(test.keys.completed, 0, '-1')).toEqual([kept]);
    expect(await test.redis.exists(queueKeys(other).completed)).toBe(0);
    expect(await test.stateOf('task-1')).toBe('gone');
    expect(await test.stateOf(away, other)).toBe('gone');
    await test.close();
  });
});

describe('the health check', () => {
  it('S-101 reports after each interval whether Redis answers', async () => {
    const test = ServerUnderTest.open({ time: 'virtual' });
    const heard: (string | undefined)[] = [];
    let isDown = false;
    const broker = Object.create(test.broker, {
      ping: { value: async () => (isDown ? await Promise.reject(new Error('no answer')) : await test.broker.ping()) },
    }) as typeof test.broker;
    await test.start(() => {}, {
      broker,
      healthCheck: (error) => heard.push(error?.message),
      healthCheckInterval: '3s',
    });
    expect(heard).toEqual([]);
    await test.time.advance('3s');
    expect(heard).toEqual([undefined]);
    isDown = true;
    await test.time.advance('3s');
    expect(heard).toEqual([undefined, 'no answer']);
    await test.close();
  });

  it('D-S10 survives a callback that throws', async () => {
    const test = ServerUnderTest.open({ time: 'virtual' });
    let calls = 0;
    const healthCheck = (): void => {
      calls += 1;
      throw new Error('broken');
    };
    await test.start(() => {}, { healthCheck, healthCheckInterval: epochMs(1_000) });
    await test.time.advance('2s');
    expect(calls).toBe(2);
    expect(test.logger.messages('error')).toContain('healthCheck failed: broken');
    await test.close();
  });

  it('S-102 sends nothing without a callback', async () => {
    const test = ServerUnderTest.open({ time: 'virtual' });
    let pings = 0;
    const broker = Object.create(test.broker, {
      ping: { value: async () => await Promise.resolve(void (pings += 1)) },
    }) as typeof test.broker;
    await test.start(() => {}, { broker, healthCheckInterval: '1s' });
    await test.time.advance('5s');
    expect(pings).toBe(0);
    await test.close();
  });
});
