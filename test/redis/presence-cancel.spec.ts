import { taskKey } from '../../lib/redis/keys.js';
import { grouped, now } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

describe('canceling', () => {
  it('frees the lock of a grouped task of Go, which only its record names', async () => {
    const tasks = QueueUnderTest.open();
    const uniqueKey = `asynq:{${tasks.queue}}:unique:email:send:`;
    await tasks.enqueue(grouped('a', 'g', { uniqueKey, uniqueForSeconds: 60 }));
    await tasks.redis.hdel(taskKey(tasks.keys, 'a'), 'unique_key');
    const request = { queue: tasks.queue, taskId: 'a', outcome: 'delete', now } as const;
    expect(await tasks.broker.presence.cancel(request)).toBe('deleted');
    expect(await tasks.redis.exists(uniqueKey)).toBe(0);
    await tasks.close();
  });
});
