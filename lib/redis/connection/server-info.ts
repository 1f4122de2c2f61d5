import { BrokerCommandError, UnsupportedRedisError } from '../../model/errors/broker-errors.js';
import type { CommandTransport } from './command-transport.js';
import type { RedisReply } from './redis-connection.js';

/** What a server says about itself. */
export interface ServerInfo {
  /** As the server writes it; `undefined` when it may not be asked. */
  readonly version: string | undefined;
  readonly software: 'Redis' | 'Valkey';
  readonly isLoading: boolean;
  readonly isReplica: boolean;
}

// The first with BLMOVE, which wakes idle workers, and with variadic pops.
const oldest = { major: 6, minor: 2 };

/** INFO says everything; a user who may not use it may still learn the version from HELLO. */
export async function askServer(transport: CommandTransport): Promise<ServerInfo> {
  try {
    return readInfo(await transport.send('info', []));
  } catch (error) {
    if (!(error instanceof BrokerCommandError) || !error.message.startsWith('NOPERM')) throw error;
  }
  try {
    return readHello(await transport.send('hello', []));
  } catch (error) {
    if (!(error instanceof BrokerCommandError)) throw error;
    return { version: undefined, software: 'Redis', isLoading: false, isReplica: false };
  }
}

function readInfo(reply: RedisReply): ServerInfo {
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
  };
}

function readHello(reply: RedisReply): ServerInfo {
  const fields = new Map<string, string>();
  if (Array.isArray(reply)) {
    for (let index = 0; index < reply.length; index += 2) fields.set(String(reply[index]), String(reply[index + 1]));
  }
  return {
    version: fields.get('version'),
    software: fields.get('server') === 'valkey' ? 'Valkey' : 'Redis',
    isLoading: false,
    isReplica: fields.get('role') === 'replica',
  };
}

/** @throws UnsupportedRedisError when the server is older than Redis 6.2; every Valkey is younger. */
export function checkVersion(info: ServerInfo, place: string): void {
  if (info.version === undefined || info.software === 'Valkey') return;
  const [major = 0, minor = 0] = info.version.split('.').map(Number);
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return;
  throw new UnsupportedRedisError(
    `Redis ${info.version} at ${place} is too old: version ${oldest.major}.${oldest.minor} or newer is needed, or Valkey`,
  );
}
