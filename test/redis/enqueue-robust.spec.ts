import { BrokerCommandError } from '../../lib/model/errors/broker-errors.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { groupKey } from '../../lib/redis/keys.js';
import { startRedis } from '../support/redis-server.js';
import { now, type Wanted } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

const ids = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `id-${i}`);

describe('enqueueing what is unusual', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  it('refuses only the task whose group key has a wrong type, and stores the others', async () => {
    await tasks.redis.set(groupKey(tasks.keys, 'g'), 'not a set');
    const wanted: Wanted[] = ids(1_100).map((id) => ({ id }));
    wanted[600] = { id: 'grouped', place: { kind: 'aggregating' }, group: 'g' };
    const outcomes = await tasks.enqueue(...wanted);
    expect(outcomes[600]).toBeInstanceOf(BrokerCommandError);
    expect(new Set(outcomes.toSpliced(600, 1))).toEqual(new Set(['enqueued']));
    const stored = (await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toReversed();
    expect(stored).toEqual(ids(1_100).filter((id) => id !== 'id-600'));
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix}*`)).toHaveLength(1_099);
  });

  it('registers a queue again within a minute after another program removed it', async () => {
    await tasks.enqueue({ id: 'a' });
    await tasks.redis.srem('asynq:queues', tasks.queue);
    const enqueueAt = async (id: string, instant: typeof now): Promise<number> => {
      await tasks.broker.enqueue.enqueue([tasks.request({ id })], instant);
      return await tasks.redis.sismember('asynq:queues', tasks.queue);
    };
    expect(await enqueueAt('b', addMs(now, ms(59_999)))).toBe(0);
    expect(await enqueueAt('c', addMs(now, ms(60_000)))).toBe(1);
    await tasks.redis.srem('asynq:queues', tasks.queue);
    expect(await enqueueAt('d', addMs(now, ms(-3_600_000)))).toBe(1);
  });
});

describe('enqueueing many tasks', () => {
  it('needs two calls for 500 with a lock or a group, and one for plain ones', async () => {
    const server = await startRedis();
    const tasks = QueueUnderTest.open({ url: server.url });
    const isLocked = (id: string): Wanted => ({
      uniqueKey: `asynq:{${tasks.queue}}:unique:email:send:${id}`,
      uniqueForSeconds: 60,
    });
    const isGrouped: Wanted = { place: { kind: 'aggregating' }, group: 'g' };
    const callsFor = async (prefix: string, wanted: (id: string) => Wanted): Promise<number> => {
      await tasks.redis.config('RESETSTAT');
      const many = ids(500).map((id): Wanted => ({ ...wanted(id), id: `${prefix}-${id}` }));
      expect(new Set(await tasks.enqueue(...many))).toEqual(new Set(['enqueued']));
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await tasks.redis.info('commandstats'))?.[1]);
    };
    // The server learns both scripts.
    await tasks.enqueue({ id: 'a' });
    await tasks.enqueue({ id: 'b', ...isLocked('b') });
    expect(await callsFor('plain', () => ({}))).toBe(1);
    expect(await callsFor('later', () => ({ place: { kind: 'scheduled', processAt: addMs(now, ms(60_000)) } }))).toBe(
      1,
    );
    expect(await callsFor('locked', isLocked)).toBe(2);
    expect(await callsFor('grouped', () => isGrouped)).toBe(2);
    expect(await callsFor('both', (id) => ({ ...isGrouped, ...isLocked(`both-${id}`) }))).toBe(2);
    expect((await tasks.redis.lrange(tasks.keys.pending, 0, 499)).toReversed()[499]).toBe('locked-id-499');
    await tasks.close();
    await server.stop();
  });
});

describe('enqueueing where Redis fails', () => {
  it('stores no task in a queue that could not be registered, and tries again', async () => {
    const server = await startRedis();
    const tasks = QueueUnderTest.open({ url: server.url });
    await tasks.redis.set('asynq:queues', 'not a set');
    const outcomes = await tasks.enqueue({ id: 'a' }, { id: 'b' });
    expect(outcomes.map((outcome) => outcome instanceof BrokerCommandError)).toEqual([true, true]);
    expect(await tasks.redis.keys('asynq:{*')).toEqual([]);
    await tasks.redis.del('asynq:queues');
    expect(await tasks.enqueue({ id: 'a' }, { id: 'b' })).toEqual(['enqueued', 'enqueued']);
    expect(await tasks.redis.smembers('asynq:queues')).toEqual([tasks.queue]);
    await tasks.close();
    await server.stop();
  });

  it('C-72 continues after the server forgot the scripts', async () => {
    const server = await startRedis();
    const tasks = QueueUnderTest.open({ url: server.url });
    await tasks.running({ id: 'a' });
    await tasks.redis.script('FLUSH');
    expect(await tasks.enqueue({ id: 'b' }, { id: 'c' })).toEqual(['enqueued', 'enqueued']);
    await tasks.redis.script('FLUSH');
    expect((await tasks.dequeue(5)).messages.map(({ id }) => id)).toEqual(['b', 'c']);
    await tasks.redis.script('FLUSH');
    expect(await tasks.settle({ kind: 'done', message: tasks.message({ id: 'a' }) })).toEqual(['settled']);
    expect(await tasks.redis.lrange(tasks.keys.active, 0, -1)).toEqual(['c', 'b']);
    await tasks.close();
    await server.stop();
  });

  it('lets workers continue when Redis is full, and refuses new tasks completely', async () => {
    const server = await startRedis();
    const tasks = QueueUnderTest.open({ url: server.url });
    const running = await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c', retentionSeconds: 60 });
    await tasks.enqueue({ id: 'd' });
    await tasks.redis.config('SET', 'maxmemory', '1');

    const later = { kind: 'scheduled', processAt: addMs(now, ms(1_000)) } as const;
    const refused = await tasks.enqueue({ id: 'e' }, { id: 'f', place: later }, { id: 'g' });
    expect(refused.map((outcome) => outcome instanceof BrokerCommandError)).toEqual([true, true, true]);
    expect(await tasks.enqueue({ id: 'h' })).toEqual([expect.any(BrokerCommandError)]);
    expect((await tasks.dequeue(9)).messages.map(({ id }) => id)).toEqual(['d']);
    const [first, second, third] = running;
    const outcomes = await tasks.settle(
      { kind: 'done', message: first ?? tasks.message() },
      { kind: 'retry', message: second ?? tasks.message(), retryAt: addMs(now, ms(5_000)), counts: 'as-failure' },
      { kind: 'complete', message: third ?? tasks.message(), expiresAt: addMs(now, ms(60_000)), result: undefined },
    );
    expect(outcomes).toEqual(['settled', 'settled', 'settled']);
    await tasks.redis.config('SET', 'maxmemory', '0');
    expect(await tasks.redis.keys('asynq:{*}:t:*')).toHaveLength(3);
    expect(await tasks.placesOf('b')).toEqual(['retry', 'due']);
    await tasks.close();
    await server.stop();
  });
});
