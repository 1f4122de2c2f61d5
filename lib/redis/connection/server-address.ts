import type { RedisServerOptions } from './ioredis-options.js';

/** The default address of a server. */
export const defaultAddress = { host: 'localhost', port: 6379, db: 0 } as const;

/** The default address as a URL. */
export const defaultRedisUrl = `redis://${defaultAddress.host}:${defaultAddress.port}`;

/** The default port of a sentinel. */
export const defaultSentinelPort = 26379;

/** Returns where a server is, for messages: `host:port`, a socket's path, or the sentinels' master. Without secrets. */
export function addressOf(options: RedisServerOptions): string {
  if (options.path) return options.path;
  if (options.sentinels) return `master "${options.name ?? ''}" of sentinels ${sentinelsOf(options)}`;
  return hostAndPort(options, defaultAddress.port);
}

/** Returns the address and database as a URL without user and password: `redis://localhost:6379/0`. */
export function describeServer(options: RedisServerOptions): string {
  const db = options.db ?? defaultAddress.db;
  if (options.path) return `redis-socket://${options.path}?db=${db}`;
  if (options.sentinels) return `redis-sentinel://${sentinelsOf(options)}/${db}?master=${options.name ?? ''}`;
  return `${options.tls ? 'rediss' : 'redis'}://${hostAndPort(options, defaultAddress.port)}/${db}`;
}

function sentinelsOf({ sentinels = [] }: RedisServerOptions): string {
  return sentinels.map((sentinel) => hostAndPort(sentinel, defaultSentinelPort)).join(',');
}

function hostAndPort(
  address: Partial<{ readonly host: string | undefined; readonly port: number | string | undefined }>,
  defaultPort: number,
): string {
  const { host = defaultAddress.host, port = defaultPort } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
