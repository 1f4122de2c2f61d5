import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RedisServerOptions, RunningRedisServer } from '../../scripts/redis-server.mjs';

/** The repository's root, seen from where this file is built to. */
export const root = join(import.meta.dirname, '../../..');

/** Starts a Redis of our own; it ends with this process. */
export async function startOwnRedis(options: RedisServerOptions = {}): Promise<RunningRedisServer> {
  const url = pathToFileURL(join(root, 'scripts/redis-server.mjs')).href;
  const { provideRedisServer, startRedisServer } = (await import(
    url
  )) as typeof import('../../scripts/redis-server.mjs');
  return await startRedisServer({ server: provideRedisServer(), ...options });
}
