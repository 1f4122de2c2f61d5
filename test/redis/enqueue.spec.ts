import { BrokerCommandError } from '../../lib/model/errors/broker-errors.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { queueKeys, taskKey } from '../../lib/redis/keys.js';
import { deleteQueues } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { now, QueueUnderTest } from './queue-under-test.js';

describe('enqueueing to run at once', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  it('P-01 P-10 stores a record that names its task and queue', async () => {
    const headers = { a: '1', b: 'ü' };
    expect(await tasks.enqueue({ id: 'a', headers, retentionSeconds: 60 })).toEqual(['enqueued']);
    expect(await tasks.stored('a')).toEqual({ ...tasks.message({ id: 'a', headers, retentionSeconds: 60 }) });
  });

  it('P-31 P-32 P-27 writes exactly the fields of a pending task, in a hash without a lifetime', async () => {
    await tasks.enqueue({ id: 'a' });
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'pending', pending_since: `${now}000000` });
    expect(`${now}000000`).toMatch(/^\d{19}$/);
    expect(await tasks.redis.ttl(taskKey(tasks.keys, 'a'))).toBe(-1);
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('P-13 keeps every byte of a payload', async () => {
    const payload = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await tasks.enqueue({ id: 'a', payload });
    const { messages } = await tasks.dequeue();
    expect(Buffer.from(messages[0]?.payload ?? []).equals(payload)).toBe(true);
  });

  it('P-19 makes the queue known, its name unchanged', async () => {
    const queue = `${uniqueQueue('Case')} with spaces `;
    const named = QueueUnderTest.open({ queue });
    await named.enqueue({ id: 'a' });
    expect(await named.redis.sismember('asynq:queues', queue)).toBe(1);
    await named.close();
  });

  it('P-33 keeps first-in first-out order', async () => {
    await tasks.enqueue({ id: 'a' });
    await tasks.enqueue({ id: 'b' }, { id: 'c' });
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['c', 'b', 'a']);
  });

  it('P-34 refuses an id that is taken and leaves what is stored', async () => {
    await tasks.enqueue({ id: 'a', payload: Buffer.from('first') });
    const before = await tasks.redis.hgetallBuffer(taskKey(tasks.keys, 'a'));
    expect(await tasks.enqueue({ id: 'a', payload: Buffer.from('second') })).toEqual(['id-conflict']);
    expect(await tasks.redis.hgetallBuffer(taskKey(tasks.keys, 'a'))).toEqual(before);
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('P-35 takes the same id in two queues', async () => {
    const other = uniqueQueue('other');
    expect(await tasks.enqueue({ id: 'a' }, { id: 'a', queue: other })).toEqual(['enqueued', 'enqueued']);
    expect(await tasks.redis.lrange(queueKeys(other).pending, 0, -1)).toEqual(['a']);
    await deleteQueues(tasks.redis, [other]);
  });

  it.each(['scheduled', 'active', 'retry', 'completed', 'archived', 'aggregating'])(
    'P-36 refuses the id of a task that is %s',
    async (state) => {
      await tasks.redis.hset(taskKey(tasks.keys, 'a'), { msg: 'm', state });
      expect(await tasks.enqueue({ id: 'a' })).toEqual(['id-conflict']);
      expect(await tasks.placesOf('a')).toEqual([]);
    },
  );

  it('P-36 refuses an id of which only a result is stored', async () => {
    await tasks.redis.hset(taskKey(tasks.keys, 'a'), { result: 'r' });
    expect(await tasks.enqueue({ id: 'a' }, { id: 'b' })).toEqual(['id-conflict', 'enqueued']);
    expect(await tasks.hash('a')).toEqual({ result: 'r' });
  });

  it('P-41 P-42 gives each task of a batch its own outcome, in list order', async () => {
    await tasks.enqueue({ id: 'taken' });
    const scheduled = { kind: 'scheduled', processAt: addMs(now, ms(60_000)) } as const;
    const outcomes = await tasks.enqueue(
      { id: 'a' },
      { id: 'taken', payload: Buffer.from('other') },
      { id: 'later', place: scheduled },
      { id: 'b' },
      { id: 'a', payload: Buffer.from('again') },
    );
    expect(outcomes).toEqual(['enqueued', 'id-conflict', 'enqueued', 'enqueued', 'id-conflict']);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['b', 'a', 'taken']);
    expect(await tasks.redis.zrange(tasks.keys.scheduled, 0, '-1')).toEqual(['later']);
    expect((await tasks.stored('a')).payload.toString()).toBe('{}');
  });

  it('P-41 finds an id that is twice in a batch of plain tasks', async () => {
    const outcomes = await tasks.enqueue({ id: 'a', type: 'first' }, { id: 'b' }, { id: 'a', type: 'second' });
    expect(outcomes).toEqual(['enqueued', 'enqueued', 'id-conflict']);
    expect((await tasks.stored('a')).type).toBe('first');
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['b', 'a']);
  });

  it('takes an id of this process that is there already for an earlier attempt that went through', async () => {
    await tasks.enqueue({ id: 'a', idIsGenerated: true });
    const outcomes = await tasks.enqueue({ id: 'a', idIsGenerated: true }, { id: 'b', idIsGenerated: true });
    expect(outcomes).toEqual(['enqueued', 'enqueued']);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['b', 'a']);
  });

  it('does nothing for an empty batch', async () => {
    expect(await tasks.enqueue()).toEqual([]);
    expect(await tasks.redis.exists(tasks.keys.pending)).toBe(0);
  });

  it('reports an answer of Redis as the outcome of the tasks it hit, and of no others', async () => {
    const broken = uniqueQueue('broken');
    await tasks.redis.set(queueKeys(broken).pending, 'not a list');
    const [refused, fine] = await tasks.enqueue({ id: 'a', queue: broken }, { id: 'b' });
    expect(refused).toBeInstanceOf(BrokerCommandError);
    expect(fine).toBe('enqueued');
    expect(await tasks.redis.exists(taskKey(queueKeys(broken), 'a'))).toBe(0);
    await deleteQueues(tasks.redis, [broken]);
  });
});
