import { addMs, epochMs, ms } from '../../lib/model/time/duration.js';
import { encodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import { taskKey } from '../../lib/redis/keys.js';
import { leaseSeconds, nowSeconds, owner, QueueUnderTest } from './queue-under-test.js';

describe('dequeueing', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  const idsOf = (messages: readonly { readonly id: string }[]): string[] => messages.map(({ id }) => id);

  it('P-55 takes the oldest task and puts it in front of those that run', async () => {
    await tasks.enqueue({ id: 'a' }, { id: 'b' }, { id: 'c' });
    expect(idsOf((await tasks.dequeue()).messages)).toEqual(['a']);
    expect(idsOf((await tasks.dequeue()).messages)).toEqual(['b']);
    expect(await tasks.redis.lrange(tasks.keys.active, 0, -1)).toEqual(['b', 'a']);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['c']);
  });

  it('P-55 takes a batch as it would take them one by one', async () => {
    await tasks.enqueue({ id: 'a' }, { id: 'b' }, { id: 'c' });
    expect(idsOf((await tasks.dequeue(2)).messages)).toEqual(['a', 'b']);
    expect(await tasks.redis.lrange(tasks.keys.active, 0, -1)).toEqual(['b', 'a']);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['c']);
  });

  it('P-56 makes it active, names its owner, and leaves its record as it is', async () => {
    await tasks.enqueue({ id: 'a', headers: { k: 'v' }, payload: Buffer.from([0xff, 0x00]) });
    const stored = await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'msg');
    const { messages } = await tasks.dequeue();
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'active', 'x:o': `${nowSeconds} ${owner}` });
    expect(await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'msg')).toEqual(stored);
    expect(messages).toEqual([tasks.message({ id: 'a', headers: { k: 'v' }, payload: Buffer.from([0xff, 0x00]) })]);
  });

  it('P-57 leases it until the second asked for', async () => {
    await tasks.running({ id: 'a' });
    expect(await tasks.redis.zscore(tasks.keys.lease, 'a')).toBe(String(leaseSeconds));
    expect(leaseSeconds).toBe(nowSeconds + 30);
  });

  it('P-58 P-59 takes nothing from a paused queue, whatever the pause says, until it is resumed', async () => {
    await tasks.enqueue({ id: 'a' });
    await tasks.redis.set(tasks.keys.paused, '');
    expect(await tasks.broker.work.isPaused(tasks.queue)).toBe(true);
    expect(await tasks.dequeue()).toEqual({ messages: [], undecodable: [], left: 'paused' });
    expect(await tasks.placesOf('a')).toEqual(['pending']);
    await tasks.redis.del(tasks.keys.paused);
    expect(await tasks.broker.work.isPaused(tasks.queue)).toBe(false);
    expect(idsOf((await tasks.dequeue()).messages)).toEqual(['a']);
  });

  it('P-60 says whether a queue may have more, so that the next one is asked', async () => {
    expect(await tasks.dequeue(3)).toEqual({ messages: [], undecodable: [], left: 'drained' });
    await tasks.enqueue({ id: 'a' }, { id: 'b' }, { id: 'c' });
    expect((await tasks.dequeue(2)).left).toBe('some');
    expect((await tasks.dequeue(2)).left).toBe('drained');
  });

  it('P-63 drops ids without a task on the way, and still gives as many as were asked for', async () => {
    await tasks.enqueue({ id: 'a' });
    await tasks.redis.lpush(tasks.keys.pending, ...Array.from({ length: 500 }, (_, i) => `gone-${i}`));
    await tasks.enqueue({ id: 'b' });
    await tasks.redis.set(taskKey(tasks.keys, 'string'), 'x');
    await tasks.redis.hset(taskKey(tasks.keys, 'empty'), { result: 'r' });
    await tasks.redis.lpush(tasks.keys.pending, 'string', 'empty');
    await tasks.enqueue({ id: 'c' }, { id: 'd' });
    expect(idsOf((await tasks.dequeue(3)).messages)).toEqual(['a', 'b', 'c']);
    expect(await tasks.redis.lrange(tasks.keys.active, 0, -1)).toEqual(['c', 'b', 'a']);
    expect(await tasks.redis.zcard(tasks.keys.lease)).toBe(3);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['d']);
    expect(await tasks.hash('empty')).toEqual({ result: 'r' });
  });

  it('P-63 comes through any number of ids without a task, a bounded number at a time', async () => {
    await tasks.redis.rpush(tasks.keys.pending, ...Array.from({ length: 2_500 }, (_, i) => `gone-${i}`));
    const first = await tasks.dequeue(10);
    expect(first).toEqual({ messages: [], undecodable: [], left: 'some' });
    const left = await tasks.redis.llen(tasks.keys.pending);
    expect(left).toBeGreaterThan(1_000);
    expect(left).toBeLessThan(1_500);
  });

  it('archives a record that does not decode, with its bytes and the reason, and gives the others', async () => {
    const bytes = Buffer.from([0x0a, 0x02, 0xff, 0xfe, 0x12, 0x01, 0x00]);
    await tasks.enqueue({ id: 'a' }, { id: 'bad' }, { id: 'b' });
    await tasks.redis.hset(taskKey(tasks.keys, 'bad'), { msg: bytes });
    const { messages, undecodable } = await tasks.dequeue(3);
    expect(idsOf(messages)).toEqual(['a', 'b']);
    expect(undecodable).toEqual([{ queue: tasks.queue, taskId: 'bad', reason: expect.any(String) }]);

    expect(await tasks.placesOf('bad')).toEqual(['archived']);
    expect(await tasks.redis.zscore(tasks.keys.archived, 'bad')).toBe(String(nowSeconds));
    const reason = undecodable[0]?.reason ?? '';
    const fields = await tasks.hash('bad');
    expect(fields).toMatchObject({ state: 'archived', 'x:error': reason });
    expect(Object.keys(fields)).not.toContain('x:o');
    expect(await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'bad'), 'x:msg')).toEqual(bytes);
    expect(await tasks.stored('bad')).toMatchObject({ id: 'bad', queue: tasks.queue, errorMessage: reason });
    expect(await tasks.counters()).toEqual({ processed: '1', failed: '1', processedToday: '1', failedToday: '1' });
  });

  it('knows a task by the name it is stored under, whatever its record says', async () => {
    await tasks.enqueue({ id: 'a' });
    const record = encodeTaskMessage(tasks.message({ id: 'other', queue: 'elsewhere' }));
    await tasks.redis.hset(taskKey(tasks.keys, 'a'), { msg: record });
    const { messages } = await tasks.dequeue();
    expect(messages.map(({ id, queue }) => [id, queue])).toEqual([['a', tasks.queue]]);
    expect(await tasks.settle(...messages.map((message) => ({ kind: 'done' as const, message })))).toEqual(['settled']);
    expect(await tasks.redis.exists(taskKey(tasks.keys, 'a'))).toBe(0);
  });

  it('P-05 P-06 runs a record of an older or a newer Asynq', async () => {
    await tasks.enqueue({ id: 'a' });
    const newer = Buffer.concat([encodeTaskMessage(tasks.message({ id: 'a' })), Buffer.from([0x82, 0x01, 0x01, 0x78])]);
    await tasks.redis.hset(taskKey(tasks.keys, 'a'), { msg: newer });
    const { messages } = await tasks.dequeue();
    expect(messages).toEqual([{ ...tasks.message({ id: 'a' }), unknownFields: Buffer.from([0x82, 0x01, 0x01, 0x78]) }]);
  });

  it('takes at most a thousand tasks a call', async () => {
    await tasks.enqueue(...Array.from({ length: 1_100 }, (_, i) => ({ id: `id-${i}` })));
    const { messages, left } = await tasks.dequeue(5_000);
    expect(messages).toHaveLength(1_000);
    expect(left).toBe('some');
  });
});

describe('extending leases', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  const held = epochMs(leaseSeconds * 1_000);
  const later = addMs(held, ms(5_000));
  const takenAt = epochMs(nowSeconds * 1_000);
  const noNews = { lost: [], canceled: [] };

  it('P-61 moves the leases of running tasks', async () => {
    await tasks.running({ id: 'a' }, { id: 'b' });
    const leases = ['a', 'b'].map((taskId) => ({ taskId, until: held, takenAt }));
    expect(await tasks.broker.work.extendLeases({ queue: tasks.queue, owner, leases, leaseUntil: later })).toEqual(
      noNews,
    );
    expect(await tasks.redis.zscore(tasks.keys.lease, 'a')).toBe(String(leaseSeconds + 5));
    expect(await tasks.redis.zscore(tasks.keys.lease, 'b')).toBe(String(leaseSeconds + 5));
  });

  it('P-62 gives no lease to a task that has none, and none that somebody else was given', async () => {
    await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
    await tasks.redis.zadd(tasks.keys.lease, leaseSeconds + 60, 'b');
    // Settled, and taken anew by the same server.
    await tasks.redis.hset(taskKey(tasks.keys, 'c'), 'x:o', `${nowSeconds + 1} ${owner}`);
    const leases = ['a', 'b', 'c', 'gone'].map((taskId) => ({ taskId, until: held, takenAt }));
    const { lost } = await tasks.broker.work.extendLeases({ queue: tasks.queue, owner, leases, leaseUntil: later });
    expect(lost).toEqual(['b', 'c', 'gone']);
    expect(await tasks.redis.zscore(tasks.keys.lease, 'b')).toBe(String(leaseSeconds + 60));
    expect(await tasks.redis.zscore(tasks.keys.lease, 'gone')).toBeNull();
  });

  it('tells which tasks were canceled, whoever heard of it', async () => {
    await tasks.running({ id: 'a' }, { id: 'b' });
    const canceling = { queue: tasks.queue, taskId: 'b', then: 'delete' as const, now: takenAt };
    expect(await tasks.broker.presence.cancel(canceling)).toBe('signaled');
    const leases = ['a', 'b'].map((taskId) => ({ taskId, until: held, takenAt }));
    const news = await tasks.broker.work.extendLeases({ queue: tasks.queue, owner, leases, leaseUntil: later });
    expect(news).toEqual({ lost: [], canceled: [{ taskId: 'b', then: 'delete' }] });
    expect(await tasks.redis.zscore(tasks.keys.lease, 'b')).toBe(String(leaseSeconds + 5));
  });

  it('does so for thousands of tasks, and for none', async () => {
    const leases = Array.from({ length: 2_100 }, (_, i) => ({ taskId: `id-${i}`, until: held, takenAt }));
    const batch = tasks.redis.pipeline();
    for (const { taskId } of leases) batch.hset(taskKey(tasks.keys, taskId), 'x:o', `${nowSeconds} ${owner}`);
    await batch.exec();
    await tasks.redis.zadd(tasks.keys.lease, ...leases.slice(0, 2_000).flatMap(({ taskId }) => [leaseSeconds, taskId]));
    const { lost } = await tasks.broker.work.extendLeases({ queue: tasks.queue, owner, leases, leaseUntil: later });
    expect(lost).toEqual(leases.slice(2_000).map(({ taskId }) => taskId));
    expect(await tasks.redis.zcount(tasks.keys.lease, leaseSeconds + 5, leaseSeconds + 5)).toBe(2_000);
    expect(await tasks.broker.work.extendLeases({ queue: tasks.queue, owner, leases: [], leaseUntil: later })).toEqual(
      noNews,
    );
  });
});
