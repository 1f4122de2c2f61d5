import { BrokerCommandError, UnsupportedRedisError } from '../../model/errors/broker-errors.js';
import type { RedisReply } from './redis-connection.js';
import { isUnknownOrForbidden } from './reply-errors.js';

/** What a server reports about itself. */
export interface RedisServerInfo {
  /** The version as the server writes it; `undefined` if asking is not permitted. */
  readonly version: string | undefined;
  readonly software: 'Redis' | 'Valkey';
  readonly isLoading: boolean;
  readonly isReplica: boolean;
  readonly isClusterNode: boolean;
  /** What it does when its memory is full; `undefined` if asking is not permitted. */
  readonly maxmemoryPolicy: string | undefined;
  /** Changes whenever another server process answers: after a restart or a failover. */
  readonly runId: string | undefined;
}

// The first version with BLMOVE, which wakes idle workers, and with variadic pops.
const oldest = { major: 6, minor: 2 };

type Send = (command: string, args: readonly string[]) => Promise<RedisReply>;

/** Asks with INFO; if it is forbidden or renamed, HELLO may still return the version, otherwise nothing is known. */
export async function askServer(send: Send): Promise<RedisServerInfo> {
  for (const [command, read] of [
    ['info', readInfo],
    ['hello', readHello],
  ] as const) {
    try {
      return read(await send(command, []));
    } catch (error) {
      const reply = error instanceof BrokerCommandError ? error.cause : error;
      if (!isUnknownOrForbidden(reply)) throw error;
    }
  }
  return readInfo(null);
}

function readInfo(reply: RedisReply): RedisServerInfo {
  const fields = new Map<string, string>();
  for (const line of String(reply).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const valkey = fields.get('valkey_version');
  return {
    version: valkey ?? fields.get('redis_version'),
    software: valkey === undefined ? 'Redis' : 'Valkey',
    isLoading: fields.get('loading') === '1',
    isReplica: fields.get('role') === 'slave',
    isClusterNode: fields.get('cluster_enabled') === '1',
    maxmemoryPolicy: fields.get('maxmemory_policy'),
    runId: fields.get('run_id'),
  };
}

function readHello(reply: RedisReply): RedisServerInfo {
  const fields = new Map<string, string>();
  if (Array.isArray(reply)) {
    for (let index = 0; index < reply.length; index += 2) fields.set(String(reply[index]), String(reply[index + 1]));
  }
  return {
    version: fields.get('version'),
    software: fields.get('server') === 'valkey' ? 'Valkey' : 'Redis',
    isLoading: false,
    isReplica: fields.get('role') === 'replica',
    isClusterNode: fields.get('mode') === 'cluster',
    maxmemoryPolicy: undefined,
    runId: undefined,
  };
}

/** @throws UnsupportedRedisError when the server is older than Redis 6.2; every Valkey is newer. */
export function checkVersion(info: Pick<RedisServerInfo, 'version' | 'software'>, place: string): void {
  if (info.version === undefined || info.software === 'Valkey') return;
  const [major = 0, minor = 0] = info.version.split('.').map(Number);
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return;
  throw new UnsupportedRedisError(
    `Redis ${info.version} at ${place} is too old: version ${oldest.major}.${oldest.minor} or newer is needed, or Valkey`,
  );
}

/** @throws UnsupportedRedisError when a server that was configured as a single one is a cluster node. */
export function checkIsSingle(info: RedisServerInfo, place: string): void {
  if (info.isClusterNode) throw new UnsupportedRedisError(clusterNodeMessage(place));
}

/** Says what to do about a single server that turns out to be a cluster node. */
export function clusterNodeMessage(place: string): string {
  return `Redis at ${place} is a cluster node; set redis to { cluster: { nodes: [...] } } with its URL as a node`;
}

/** Says what to do about a cluster that turns out to be a single server. */
export function singleServerMessage(place: string): string {
  return `Redis at ${place} is not a cluster; set redis to the URL of the server itself`;
}
