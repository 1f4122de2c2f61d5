import { taskKey } from '../../lib/redis/keys.js';
import { grouped, now, owner, runTaken } from '../conformance/task-words.js';
import { startRedis } from '../support/redis-server.js';
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

  it('reaches a running task though the user may not publish', async () => {
    const server = await startRedis({ acl: ['mute on >secret ~* resetchannels +@all'] });
    const tasks = QueueUnderTest.open({ url: server.url.replace('redis://', 'redis://mute:secret@') });
    await tasks.running({ id: 'a' });
    const request = { queue: tasks.queue, taskId: 'a', outcome: 'delete', now } as const;
    expect(await tasks.broker.presence.cancel(request)).toBe('signaled');

    const leases = [{ taskId: 'a', until: runTaken().leaseUntil, takenAt: now }];
    const extended = { queue: tasks.queue, owner, leases, leaseUntil: runTaken().leaseUntil };
    const { canceled } = await tasks.broker.work.extendLeases(extended);
    expect(canceled).toEqual([{ taskId: 'a', outcome: 'delete' }]);
    await tasks.close();
    await server.stop();
  });
});
