import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import type { EnqueueOptions } from '../../lib/model/task/task-options.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { describeQueue } from './recorder/describe-queue.mjs';
import type { GoOptions } from './support/go-task.js';

interface GoldenEnqueue {
  readonly name: string;
  readonly type: string;
  readonly payload: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly options?: GoOptions;
  readonly queue: string;
  readonly id: string;
  readonly stored: Readonly<Record<string, unknown>>;
}

const golden = JSON.parse(readFileSync(join(__dirname, 'golden', 'enqueues.json'), 'utf8')) as GoldenEnqueue[];

/**
 * Where we store more than Go does, on purpose: one field lets an inspector free the lock when it deletes the task, the
 * other one lets our forwarder put a delayed task into its group.
 */
const improved: Readonly<Record<string, string>> = {
  'group with colons, unique': 'unique_key',
  'process at, with a group': 'x:group',
  'every option at once': 'x:group',
};

// The file holds every key that Go's client left in Redis for these calls; recorder/record.mjs records it.
describe('P-01 P-10 P-11 P-31 what the client stores', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let client: AsynqClient;
  let redis: ReturnType<typeof rawClient>;

  // Queues have the names they were recorded with, so this server must be nobody else's.
  beforeAll(async () => {
    server = await startRedis();
    client = new AsynqClient({ redis: server.url });
    redis = rawClient(server.url);
  });

  afterAll(async () => {
    await client.close();
    redis.disconnect();
    await server.stop();
  });

  it.each(golden)('is what Go stores: $name', async ({ name, type, payload, headers, options, queue, id, stored }) => {
    const bytes = payload === null ? undefined : Buffer.from(payload);
    await client.enqueue(type, bytes, { ...inOurTerms(options), ...(headers && { headers }), queue, taskId: id });

    const ours = await describeQueue(redis, queue);
    const more = improved[name];
    if (more !== undefined) {
      const task = ours[`t:${id}`] as Record<string, unknown>;
      expect(task[more]).toBeDefined();
      delete task[more];
    }
    expect(ours).toEqual(stored);
  });
});

/** Durations are milliseconds on both sides; instants are dates on ours. */
function inOurTerms({ deadline, processAt, ...rest }: GoOptions = {}): EnqueueOptions {
  return {
    ...rest,
    ...(deadline === undefined ? {} : { deadline: new Date(deadline) }),
    ...(processAt === undefined ? {} : { processAt: new Date(processAt) }),
  };
}
