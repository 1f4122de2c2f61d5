import { taskKey } from '../../lib/redis/keys.js';
import { nowSeconds, owner } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

describe('dequeueing', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  const idsOf = (messages: readonly { readonly id: string }[]): string[] => messages.map(({ id }) => id);

  it('P-56 makes the task active, names its owner, and leaves its record unchanged', async () => {
    await tasks.enqueue({ id: 'a', headers: { k: 'v' }, payload: Buffer.from([0xff, 0x00]) });
    const stored = await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'msg');
    const { messages } = await tasks.dequeue();
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'active', 'x:o': `${nowSeconds} ${owner}` });
    expect(await tasks.redis.hgetBuffer(taskKey(tasks.keys, 'a'), 'msg')).toEqual(stored);
    expect(messages).toEqual([tasks.message({ id: 'a', headers: { k: 'v' }, payload: Buffer.from([0xff, 0x00]) })]);
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

  it('P-63 drops ids without a task, and still returns as many tasks as requested', async () => {
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
});
