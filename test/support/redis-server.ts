import { Redis } from 'ioredis';
import { type RedisServerOptions, type RunningRedisServer, startRedisServer } from '../../scripts/redis-server.mjs';
import { queueKeys } from '../../lib/redis/keys.js';

/** The server that all tests share: only keys of a test's own queues may be touched there. */
export function sharedRedisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (url === undefined || url === '')
    throw new Error('TEST_REDIS_URL is not set; the global setup of the tests sets it');
  return url;
}

export interface StartRedisOptions extends Pick<RedisServerOptions, 'appendonly' | 'args' | 'port'> {
  /** Password of the default user. */
  readonly password?: string;
  /** An ACL rule, as in `user app on >secret ~* &* +@all`. */
  readonly acl?: readonly string[];
}

/** A server for one test: to be killed, restarted, paused or configured. Stop it in the test. */
export async function startRedis(options: StartRedisOptions = {}): Promise<RunningRedisServer> {
  const args = [...(options.args ?? [])];
  if (options.password !== undefined) args.push('--requirepass', options.password);
  for (const rule of options.acl ?? []) args.push('--user', ...rule.replace(/^user /, '').split(' '));
  return await startRedisServer({
    args,
    ...(options.appendonly === undefined ? {} : { appendonly: options.appendonly }),
    ...(options.port === undefined ? {} : { port: options.port }),
  });
}

/** A plain client for arranging and asserting. Close it with `disconnect()`. */
export function rawClient(url: string = sharedRedisUrl()): Redis {
  return new Redis(url, { protocol: 2 });
}

/** Removes every key of a test's queues. */
export async function deleteQueues(client: Redis, queues: readonly string[]): Promise<void> {
  for (const queue of queues) {
    const prefix = queueKeys(queue).pending.slice(0, -'pending'.length);
    // A name may hold characters that mean something in a pattern.
    const pattern = `${prefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`;
    for await (const keys of client.scanStream({ match: pattern, count: 1_000 })) {
      if ((keys as string[]).length > 0) await client.del(...(keys as string[]));
    }
    await client.srem('asynq:queues', queue);
  }
}
