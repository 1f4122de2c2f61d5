import { BrokerCommandError } from '../../lib/model/errors/broker-errors.js';
import { queueKeys, taskKey } from '../../lib/redis/keys.js';
import { deleteQueues } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { now } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

describe('enqueueing to run at once', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  it('P-31 P-32 P-27 writes exactly the fields of a pending task, in a hash without a lifetime', async () => {
    await tasks.enqueue({ id: 'a' });
    expect(await tasks.hash('a')).toEqual({ msg: 'bytes', state: 'pending', pending_since: `${now}000000` });
    expect(`${now}000000`).toMatch(/^\d{19}$/);
    expect(await tasks.redis.ttl(taskKey(tasks.keys, 'a'))).toBe(-1);
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('P-19 registers the queue under its unchanged name', async () => {
    const queue = `${uniqueQueue('Case')} with spaces `;
    const named = QueueUnderTest.open({ queue });
    await named.enqueue({ id: 'a' });
    expect(await named.redis.sismember('asynq:queues', queue)).toBe(1);
    await named.close();
  });

  it('P-33 keeps first-in, first-out order', async () => {
    await tasks.enqueue({ id: 'a' });
    await tasks.enqueue({ id: 'b' }, { id: 'c' });
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['c', 'b', 'a']);
  });

  it('P-36 refuses an id of which only a result is stored', async () => {
    await tasks.redis.hset(taskKey(tasks.keys, 'a'), { result: 'r' });
    expect(await tasks.enqueue({ id: 'a' }, { id: 'b' })).toEqual(['id-conflict', 'enqueued']);
    expect(await tasks.hash('a')).toEqual({ result: 'r' });
  });

  it('reports an error of Redis as the outcome of the affected tasks, and of no others', async () => {
    const broken = uniqueQueue('broken');
    await tasks.redis.set(queueKeys(broken).pending, 'not a list');
    const [refused, fine] = await tasks.enqueue({ id: 'a', queue: broken }, { id: 'b' });
    expect(refused).toBeInstanceOf(BrokerCommandError);
    expect(fine).toBe('enqueued');
    expect(await tasks.redis.exists(taskKey(queueKeys(broken), 'a'))).toBe(0);
    await deleteQueues(tasks.redis, [broken]);
  });
});
