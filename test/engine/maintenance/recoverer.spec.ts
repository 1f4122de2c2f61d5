import { addMs, epochMs, ms, type Ms } from '../../../lib/model/time/duration.js';
import { taskKey } from '../../../lib/redis/keys.js';
import { faultyBroker } from '../../support/faulty-broker.js';
import { until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

const deadOwner = 'host-a:1:dead';

describe('recovery', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  /** Tasks that a worker took at some time; `go` is one that does not say who it is. */
  const takenBy = async (
    owner: string,
    taken: { readonly leaseEndsIn: Ms; readonly queue?: string; readonly limit?: number },
  ): Promise<void> => {
    const { leaseEndsIn, queue = test.queue, limit = 1_000 } = taken;
    const now = test.clock.now();
    const request = { queue, limit, now, leaseUntil: addMs(now, leaseEndsIn), owner };
    const { messages } = await test.broker.work.dequeue(request);
    if (owner !== 'go') return;
    for (const { id } of messages) await test.redis.hdel(`${test.keys.taskPrefix}${id}`, 'x:o');
  };

  it('S-84, S-89, P-64 retries tasks that lost their worker at the start, with the text that Asynq stores', async () => {
    const id = await test.enqueue({ payload: Buffer.from('{"n":1}') });
    await takenBy('go', { leaseEndsIn: ms(-60_000) });
    await test.start(() => {});
    const [recovered] = await test.untilHappened('recovered');
    expect(recovered).toMatchObject({ task: { id, retried: 1, payload: { n: 1 } }, outcome: 'retry' });
    expect(await test.stateOf(id)).toBe('retry');
    expect(await test.message(id)).toMatchObject({ retried: 1, errorMessage: 'asynq: task lease expired' });
    expect(await test.redis.exists(test.keys.active, test.keys.lease)).toBe(0);
  });

  it('S-85 archives a task whose retries are used up', async () => {
    const id = await test.enqueue({ retried: 2, maxRetry: 2 });
    await takenBy('go', { leaseEndsIn: ms(-40_000) });
    await test.start(() => {});
    await test.untilHappened('recovered');
    expect(await test.stateOf(id)).toBe('archived');
    expect(test.happened('recovered')).toMatchObject([{ outcome: 'archived' }]);
  });

  it('S-86, P-65 gives a Go worker 30 s after the end of its lease', async () => {
    const id = await test.enqueue();
    await takenBy('go', { leaseEndsIn: ms(-5_000) });
    await test.start(() => {});
    await test.time.advance('20s');
    expect(await test.stateOf(id)).toBe('active');
    await test.time.advance('11s');
    expect(await test.stateOf(id)).toBe('retry');
  });

  it('S-87 leaves valid leases alone', async () => {
    const id = await test.enqueue();
    await takenBy('go', { leaseEndsIn: ms(120_000) });
    await test.start(() => {});
    await test.time.advance('110s');
    expect(await test.stateOf(id)).toBe('active');
  });

  it('S-88 checks every queue, and continues after an undecodable message', async () => {
    const other = test.anotherQueue();
    const ids = [await test.enqueue(), await test.enqueue()];
    const away = await test.enqueue({ queue: other });
    await takenBy('go', { leaseEndsIn: ms(-60_000) });
    await takenBy('go', { leaseEndsIn: ms(-60_000), queue: other });
    await test.redis.hset(`${test.keys.taskPrefix}${ids[0]}`, 'msg', Buffer.from('ffff', 'hex'));
    await test.start(() => {}, { queues: { [test.queue]: 1, [other]: 1 } });
    await test.untilHappened('recovered', 2);
    expect(await test.stateOf(ids[0] ?? '')).toBe('archived');
    expect(await test.stateOf(ids[1] ?? '')).toBe('retry');
    expect(await test.stateOf(away, other)).toBe('retry');
    expect(test.happened('undecodable')).toHaveLength(1);
  });

  it('S-90 does not call errorHandler, but asks retryDelay and isFailure', async () => {
    const heard: string[] = [];
    const id = await test.enqueue();
    await takenBy('go', { leaseEndsIn: ms(-60_000) });
    await test.start(() => {}, {
      errorHandler: () => heard.push('errorHandler'),
      isFailure: (error) => heard.push(`isFailure: ${(error as Error).message}`) === 0,
      retryDelay: (retried, _, task) => {
        heard.push(`retryDelay: ${retried} ${task.id}`);
        return '1h';
      },
    });
    await test.untilHappened('recovered');
    expect(heard).toEqual([`retryDelay: 0 ${id}`, 'isFailure: asynq: task lease expired']);
    expect((await test.message(id)).retried).toBe(0);
  });

  it('runs 100 tasks of a killed worker again as soon as their leases end', async () => {
    for (let index = 0; index < 100; index += 1) await test.enqueue();
    await takenBy(deadOwner, { leaseEndsIn: ms(30_000) });
    await test.start(() => {}, { retryDelay: () => '1h' });
    await test.time.advance('29s');
    expect(await test.redis.llen(test.keys.active)).toBe(100);
    await test.time.advance('3s');
    await test.untilHappened('completed', 100);
    expect(test.happened('recovered')).toHaveLength(100);
  });

  it('leaves a task to an owner that is still published, until 30 s after its lease', async () => {
    const id = await test.enqueue();
    await takenBy('host-a:1:alive', { leaseEndsIn: ms(10_000) });
    const server = { host: 'host-a', pid: 1, serverId: 'alive' };
    const rest = { concurrency: 1, queues: {}, strictPriority: false, status: 'active' as const };
    const startedAt = test.clock.now();
    await test.broker.presence.publishServer({
      server: { ...server, ...rest, startedAt, activeWorkerCount: 0 },
      workers: [],
      ttl: ms(600_000),
      now: test.clock.now(),
    });
    await test.start(() => {});
    await test.time.advance('39s');
    expect(await test.stateOf(id)).toBe('active');
    await test.time.advance('7s');
    expect(await test.stateOf(id)).toBe('retry');
    await test.broker.presence.clearServer({ ...server, ...rest, startedAt, activeWorkerCount: 0 });
  });

  it('considers no owner dead before it had time for a heartbeat', async () => {
    const id = await test.enqueue();
    await takenBy(deadOwner, { leaseEndsIn: ms(-1_000) });
    await test.start(() => {});
    await test.time.advance('5s');
    expect(await test.stateOf(id)).toBe('active');
    await test.time.advance('2s');
    await test.untilHappened('recovered');
    await test.untilHappened('completed');
    expect(await test.stateOf(id)).toBe('gone');
  });

  it('puts back a task whose dequeue got no reply, without using up a retry', async () => {
    const broker = faultyBroker(test.broker);
    broker.faults.dequeue.push('lost-after');
    const id = await test.enqueue();
    await test.start(() => {}, { broker });
    await test.time.advance('2s');
    await test.untilHappened('completed');
    expect(test.happened('requeued')).toMatchObject([{ task: { id, retried: 0 } }]);
    expect(test.happened('recovered')).toEqual([]);
  });

  it('puts back, unspent, what is hidden behind the leases of many others', async () => {
    const broker = faultyBroker(test.broker);
    broker.faults.dequeue.push('lost-after');
    for (let index = 0; index < 500; index += 1) await test.enqueue();
    await takenBy('go', { leaseEndsIn: ms(25_000) });
    const id = await test.enqueue();
    await test.start(() => {}, { broker });
    await test.time.advance('2s');
    // Their worker lives.
    const taken = await test.redis.zrangebyscore(test.keys.lease, '-inf', (test.clock.now() + 26_000) / 1_000);
    const extended = Math.floor(test.clock.now() / 1_000) + 60;
    await test.redis.zadd(test.keys.lease, ...taken.flatMap((one) => [extended, one]));
    await test.time.advance('6s');
    await test.untilHappened('completed');
    expect(test.happened('requeued')).toMatchObject([{ task: { id, retried: 0 } }]);
  });

  it('puts back, unspent, what is lost while it puts back something else', async () => {
    const faulty = faultyBroker(test.broker);
    faulty.faults.dequeue.push('lost-after');
    const { maintenance } = test.broker;
    let isFirst = true;
    const listExpiredLeases: typeof maintenance.listExpiredLeases = async (request) => {
      const listed = await maintenance.listExpiredLeases(request);
      if (isFirst && request.expiredBy > request.now) {
        isFirst = false;
        faulty.faults.dequeue.push('lost-after');
        await test.enqueue({ id: 'second' });
        await until('a second answer is lost', async () => (await test.stateOf('second')) === 'active');
      }
      return listed;
    };
    const watched = new Proxy(maintenance, {
      get: (target, name) => {
        if (name === 'listExpiredLeases') return listExpiredLeases;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    await test.enqueue({ id: 'first' });
    await test.start(() => {}, { broker: { ...faulty, maintenance: watched } });
    await test.time.advance('2s');
    await test.untilHappened('completed', 2);
    expect(test.happened('requeued')).toHaveLength(2);
  });

  it('applies the outcome of a cancellation when the worker died before it could', async () => {
    const ids = [await test.enqueue(), await test.enqueue(), await test.enqueue()];
    await takenBy(deadOwner, { leaseEndsIn: ms(20_000) });
    const now = test.clock.now();
    for (const [index, outcome] of (['archive', 'delete', 'retry'] as const).entries()) {
      await test.broker.presence.cancel({ queue: test.queue, taskId: ids[index] ?? '', outcome, now });
    }
    await test.start(() => {}, { retryDelay: () => '1h' });
    await test.time.advance('25s');
    await test.untilHappened('recovered', 3);
    expect(await Promise.all(ids.map(async (id) => await test.stateOf(id)))).toEqual(['archived', 'gone', 'retry']);
    expect((await test.message(ids[0] ?? '')).errorMessage).toBe('context canceled');
  });

  it('S-91, P-100, P-101 returns stale aggregation sets to their groups, at the start and every minute', async () => {
    const fresh = { name: `${test.keys.groupPrefix}g:fresh`, endsIn: 100 };
    const stale = { name: `${test.keys.groupPrefix}g:stale`, endsIn: -1 };
    const soon = { name: `${test.keys.groupPrefix}g:soon`, endsIn: 30 };
    const nowSeconds = Math.floor(test.clock.now() / 1_000);
    for (const { name, endsIn } of [fresh, stale, soon]) {
      await test.redis.zadd(name, 1_000, `member of ${name}`);
      await test.redis.zadd(test.keys.aggregationSets, nowSeconds + endsIn, name);
    }
    await test.start(() => {});
    await test.time.advance('1s');
    expect(await test.redis.zrange(`${test.keys.groupPrefix}g`, 0, '-1', 'WITHSCORES')).toEqual([
      `member of ${stale.name}`,
      '1000',
    ]);
    expect(await test.redis.smembers(test.keys.groups)).toEqual(['g']);
    await test.time.advance('61s');
    expect(await test.redis.zcard(`${test.keys.groupPrefix}g`)).toBe(2);
    expect(await test.redis.zrange(test.keys.aggregationSets, 0, '-1')).toEqual([fresh.name]);
  });

  it('S-91 returns them within a minute, whenever it looks at leases', async () => {
    const startsAt = Math.floor(test.clock.now() / 1_000);
    await test.redis.zadd(test.keys.lease, startsAt + 29, 'gone');
    await test.start(() => {});
    await test.time.advance('5s');
    await test.redis.zrem(test.keys.lease, 'gone');
    const stale = `${test.keys.groupPrefix}g:stale`;
    await test.redis.zadd(stale, 1_000, 'member');
    await test.redis.zadd(test.keys.aggregationSets, startsAt + 5, stale);
    await test.time.advance('57s');
    expect(await test.redis.zcard(`${test.keys.groupPrefix}g`)).toBe(1);
  });

  it('recovers a task once when several servers find it at the same time', async () => {
    for (let index = 0; index < 20; index += 1) await test.enqueue();
    await takenBy('go', { leaseEndsIn: ms(-60_000) });
    await Promise.all([1, 2, 3].map(async () => await test.start(() => {}, { retryDelay: () => '1h' })));
    await test.time.advance('70s');
    expect(test.happened('recovered')).toHaveLength(20);
    const now = epochMs(test.clock.now());
    expect(Number(await test.redis.get(`${test.keys.failed}:${new Date(now).toISOString().slice(0, 10)}`))).toBe(20);
    expect(await test.redis.exists(taskKey(test.keys, 'task-1'))).toBe(1);
  });
});
