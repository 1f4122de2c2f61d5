import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import { AsynqServer } from '../../lib/engine/server/asynq-server.js';
import type { Task } from '../../lib/engine/server/handler-task.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

describe('the access rule of docs/redis.md', () => {
  it('is sufficient for a client and a server', async () => {
    const redis = await startRedis({ acl: [documentedRule()] });
    const url = redis.url.replace('redis://', 'redis://app:secret@');
    const logger = new RecordingLogger();
    const client = new AsynqClient({ redis: url, logger, unservedQueueWarning: '1ms' });
    const server = new AsynqServer({
      redis: url,
      queues: { a: 1, b: 1 },
      retryDelay: () => 0,
      janitorInterval: '100ms',
    });
    const runs: string[] = [];
    await server.start(async (task) => await run(task, runs));

    await client.enqueue('plain', {}, { queue: 'a', unique: '1h' });
    await client.enqueue('kept', {}, { queue: 'a', retention: '1s' });
    await client.enqueue('grouped', {}, { queue: 'a', group: 'g' });
    await client.enqueueMany([
      ['late', {}, { queue: 'b', processIn: '100ms' }],
      ['failing', {}, { queue: 'b' }],
    ]);
    const { id } = await client.enqueue('hanging', {}, { queue: 'b' });
    await until('the task hangs', () => runs.includes('hanging'));
    expect(await client.cancel(id, { queue: 'b' })).toBe('signaled');
    await until('all have run', () => ['failing again', 'hanging canceled', 'kept', 'late', 'plain'].every(isIn(runs)));
    await until('it was looked at who aggregates', () => logger.messages('warn').join().includes('group "g"'));
    const admin = rawClient(redis.url);
    await until('the kept task has expired', async () => (await admin.zcard('asynq:{a}:completed')) === 0);
    await server.shutdown();
    await client.close();

    expect(await admin.call('ACL', 'LOG')).toEqual([]);
    admin.disconnect();
    await redis.stop();
  });
});

async function run(task: Task, runs: string[]): Promise<void> {
  runs.push(task.retried > 0 ? `${task.type} again` : task.type);
  if (task.type === 'failing' && task.retried === 0) throw new Error('once');
  if (task.type !== 'hanging') return;
  await new Promise((resolve) => task.signal.addEventListener('abort', resolve, { once: true }));
  runs.push('hanging canceled');
  throw task.signal.reason;
}

function isIn(runs: readonly string[]): (name: string) => boolean {
  return (name) => runs.includes(name);
}

function documentedRule(): string {
  const page = readFileSync(join(import.meta.dirname, '../../docs/redis.md'), 'utf8');
  const rule = /^ACL SETUSER (app .+)$/m.exec(page)?.[1];
  if (rule === undefined) throw new Error('docs/redis.md has no access rule');
  return `user ${rule}`;
}
