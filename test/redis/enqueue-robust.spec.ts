import { AsynqError } from '../../lib/model/errors/asynq-error.js';
import { BrokerCommandError } from '../../lib/model/errors/broker-errors.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { groupKey, queueKeys, taskKey } from '../../lib/redis/keys.js';
import { deleteQueues, startRedis } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { now, QueueUnderTest, type Wanted } from './queue-under-test.js';

const ids = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `id-${i}`);

describe('enqueueing what is unusual', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  it('keeps order over more tasks than one script call takes', async () => {
    const outcomes = await tasks.enqueue(...ids(1_234).map((id) => ({ id })));
    expect(new Set(outcomes)).toEqual(new Set(['enqueued']));
    expect((await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toReversed()).toEqual(ids(1_234));
  });

  it('keeps order and bytes over more bytes than one script call takes', async () => {
    const payload = Buffer.alloc(400_000, 7);
    await tasks.enqueue({ id: 'large', payload: Buffer.alloc(3_000_000, 8) }, ...ids(7).map((id) => ({ id, payload })));
    const { messages } = await tasks.dequeue(8);
    expect(messages.map(({ id }) => id)).toEqual(['large', ...ids(7)]);
    expect(messages.map(({ payload: bytes }) => bytes.length)).toEqual([3_000_000, ...ids(7).map(() => 400_000)]);
  });

  it('gives each of many tasks its own outcome, whatever their order', async () => {
    await tasks.enqueue({ id: 'id-3' }, { id: 'id-700' }, { id: 'id-1100' });
    const outcomes = await tasks.enqueue(...ids(1_200).map((id) => ({ id })));
    const refused = outcomes.flatMap((outcome, index) => (outcome === 'enqueued' ? [] : [[index, outcome]]));
    expect(refused).toEqual([
      [3, 'id-conflict'],
      [700, 'id-conflict'],
      [1_100, 'id-conflict'],
    ]);
  });

  it('stops at the batch that Redis refuses, so that nothing overtakes it', async () => {
    await tasks.redis.set(groupKey(tasks.keys, 'g'), 'not a set');
    const wanted: Wanted[] = ids(1_100).map((id) => ({ id }));
    wanted[600] = { id: 'grouped', place: { kind: 'aggregating' }, group: 'g' };
    const outcomes = await tasks.enqueue(...wanted);
    expect(new Set(outcomes.slice(0, 500))).toEqual(new Set(['enqueued']));
    expect(outcomes.slice(500).every((outcome) => outcome instanceof BrokerCommandError)).toBe(true);
    expect((await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toReversed()).toEqual(ids(500));
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix}*`)).toHaveLength(500);
  });

  it('keeps queues of one call apart', async () => {
    const queues = [uniqueQueue('one'), uniqueQueue('two'), uniqueQueue('three')];
    const wanted = ids(90).map((id, i): Wanted => ({ id, queue: queues[i % 3] ?? '' }));
    expect(new Set(await tasks.enqueue(...wanted))).toEqual(new Set(['enqueued']));
    for (const [i, queue] of queues.entries()) {
      const stored = (await tasks.redis.lrange(queueKeys(queue).pending, 0, -1)).toReversed();
      expect(stored).toEqual(ids(90).filter((_, at) => at % 3 === i));
    }
    await deleteQueues(tasks.redis, queues);
  });

  it.each([
    ['braces', 'a{b}c'],
    ['an open brace', 'a{b'],
    ['a closing brace', 'a}b'],
    ['spaces and newlines', ' a \n b\t'],
    ['an emoji', '🚀 queue'],
    ['what looks like a pattern', 'a*b?[c]'],
    ['colons', 'a:t:b'],
  ])('takes a queue with %s in its name through a task’s life', async (_, name) => {
    const odd = QueueUnderTest.open({ queue: `${uniqueQueue('odd')}${name}` });
    expect(await odd.enqueue({ id: 'a' }, { id: 'b', group: 'g:{h}', place: { kind: 'aggregating' } })).toEqual([
      'enqueued',
      'enqueued',
    ]);
    expect(await odd.redis.zcard(groupKey(odd.keys, 'g:{h}'))).toBe(1);
    const { messages } = await odd.dequeue();
    expect(messages.map(({ id, queue }) => [id, queue])).toEqual([['a', odd.queue]]);
    expect(await odd.settle(...messages.map((message) => ({ kind: 'done' as const, message })))).toEqual(['settled']);
    expect(await odd.redis.exists(taskKey(odd.keys, 'a'))).toBe(0);
    await odd.close();
  });

  it('takes ids of 10,000 characters and of any characters', async () => {
    const odd = ['x'.repeat(10_000), 'a b\nc', '🚀', 'ключ', "'; --", '{x}', '%s'];
    expect(new Set(await tasks.enqueue(...odd.map((id) => ({ id }))))).toEqual(new Set(['enqueued']));
    const { messages } = await tasks.dequeue(odd.length);
    expect(messages.map(({ id }) => id)).toEqual(odd);
    const outcomes = await tasks.settle(...messages.map((message) => ({ kind: 'done' as const, message })));
    expect(new Set(outcomes)).toEqual(new Set(['settled']));
    expect(await tasks.redis.exists(tasks.keys.active, tasks.keys.lease)).toBe(0);
  });

  it('makes a queue known again that somebody else removed, after a minute', async () => {
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

describe('enqueueing where Redis fails', () => {
  it('stores no task in a queue that could not be made known, and tries again', async () => {
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

  it('C-72 goes on after the server forgot the scripts', async () => {
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

  it('lets workers go on when Redis is full, and refuses new tasks whole', async () => {
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

  it('answers for each task once the broker is closed, and does not reject', async () => {
    const tasks = QueueUnderTest.open();
    const running = await tasks.running({ id: 'a' });
    await tasks.broker.close();
    expect(await tasks.enqueue({ id: 'b' }, { id: 'c' })).toEqual([expect.any(AsynqError), expect.any(AsynqError)]);
    const outcomes = await tasks.settle(...running.map((message) => ({ kind: 'done' as const, message })));
    expect(outcomes).toEqual([expect.any(AsynqError)]);
    await tasks.close();
  });
});
