import type { Redis } from 'ioredis';
import { systemClock, systemRandom } from '../../lib/engine/system-clock.js';
import type { Availability } from '../../lib/model/broker/broker.js';
import { type ConnectionLimitOptions, resolveConnectionLimits } from '../../lib/redis/connection/connection-limits.js';
import type { BlockingRequest, RedisConnection } from '../../lib/redis/connection/redis-connection.js';
import { createRedisConnection, type RedisConnectionDeps } from '../../lib/redis/connection/create-connection.js';
import type { RedisOption } from '../../lib/redis/connection/redis-option.js';
import { ms } from '../../lib/model/time/duration.js';

const open: RedisConnection[] = [];

/** A connection in real time that {@link closeConnections} closes. */
export function aConnection(
  option: RedisOption,
  deps: Partial<RedisConnectionDeps> & ConnectionLimitOptions = {},
): RedisConnection {
  const limits = resolveConnectionLimits(deps, 'a test:');
  const connection = createRedisConnection(option, { clock: systemClock, random: systemRandom, limits, ...deps });
  open.push(connection);
  return connection;
}

/** Closes every connection of {@link aConnection}; call it after each test. */
export async function closeConnections(): Promise<void> {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
}

/** What a connection says about its availability, in order. */
export function recordAvailability(connection: RedisConnection): Availability[] {
  const heard: Availability[] = [];
  connection.onAvailability((availability) => heard.push(availability));
  return heard;
}

/** A request that waits for an element of a list, as an idle worker does. */
export function aWait(
  key: string,
  options: { readonly connectionKey?: string; readonly seconds?: number; readonly signal?: AbortSignal } = {},
): BlockingRequest {
  const { connectionKey = key, seconds = 20, signal = new AbortController().signal } = options;
  const args = [key, key, 'RIGHT', 'RIGHT', seconds];
  return { connectionKey, command: 'blmove', args, timeout: ms(seconds * 1_000), signal };
}

/** The names of a server's connections that are ours, in order. */
export async function ourConnections(client: Redis): Promise<string[]> {
  const list = (await client.client('LIST')) as string;
  const names = [...list.matchAll(/ name=(nestjs-asynq:\w+)/g)].map(([, name]) => name as string);
  return names.sort();
}
