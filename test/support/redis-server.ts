import { Redis } from 'ioredis';
import { type RedisServerOptions, type RunningRedisServer, startRedisServer } from '../../scripts/redis-server.mjs';
import { queueKeys } from '../../lib/redis/keys.js';
import type { Certificate } from './certificate.js';

/** The server that all tests share: only keys of a test's own queues may be touched there. */
export function sharedRedisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (url === undefined || url === '')
    throw new Error('TEST_REDIS_URL is not set; the global setup of the tests sets it');
  return url;
}

export interface StartRedisOptions extends Pick<RedisServerOptions, 'appendonly' | 'args' | 'config' | 'port'> {
  /** Password of the default user. */
  readonly password?: string;
  /** An ACL rule, as in `user app on >secret ~* &* +@all`. */
  readonly acl?: readonly string[];
  /** A port for TLS besides the plain one, and a certificate for it. */
  readonly tls?: { readonly port: number; readonly certificate: Certificate };
}

/** A server for one test: to be killed, restarted, paused or configured. Stop it in the test. */
export async function startRedis(options: StartRedisOptions = {}): Promise<RunningRedisServer> {
  const { password, acl = [], tls, args = [], ...server } = options;
  const more = password === undefined ? [...args] : [...args, '--requirepass', password];
  for (const rule of acl) more.push('--user', ...rule.replace(/^user /, '').split(' '));
  if (tls === undefined) return await startRedisServer({ ...server, args: more });
  more.push('--tls-port', String(tls.port), '--tls-cert-file', 'server.crt', '--tls-key-file', 'server.key');
  more.push('--tls-ca-cert-file', 'server.crt', '--tls-auth-clients', 'no');
  const files = { 'server.crt': tls.certificate.cert, 'server.key': tls.certificate.key };
  return await startRedisServer({ ...server, files, args: more });
}

/**
 * Gives the tests of a file a server of their own in place of the shared one: for those that write keys which belong to
 * no queue, such as the histories of schedules.
 */
export function useOwnRedis(): void {
  const shared = process.env['TEST_REDIS_URL'];
  let own: RunningRedisServer | undefined;
  beforeAll(async () => {
    own = await startRedis();
    process.env['TEST_REDIS_URL'] = own.url;
  });
  afterAll(async () => {
    process.env['TEST_REDIS_URL'] = shared;
    await own?.stop();
  });
}

/** A plain client for arranging and asserting. Close it with `disconnect()`. */
export function rawClient(url: string = sharedRedisUrl()): Redis {
  // The timeout is a timer that may outlive the client, when its server was killed.
  return new Redis(url, { protocol: 2, disconnectTimeout: 50 });
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
