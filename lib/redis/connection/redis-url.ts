import { isIP } from 'node:net';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import type { RedisServerOptions } from './ioredis-options.js';
import { defaultAddress, defaultSentinelPort } from './server-address.js';

const forms =
  'redis://[user:password@]host[:port][/db], rediss://..., redis-socket://[user:password@]/path[?db=n] or ' +
  'redis-sentinel://[user:password@]host[:port],host[:port][/db]?master=name';
const encoding = '@ is %40, : is %3A, / is %2F, # is %23, ? is %3F';

interface UrlParts {
  readonly url: string;
  /** The name of the option with the URL, for error messages. */
  readonly option: string;
  readonly username?: string;
  readonly password?: string;
  /** The part between the user and the path, as written. */
  readonly hosts: string;
  /** With its leading slash, or empty. */
  readonly path: string;
  readonly query: URLSearchParams;
}

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Converts a Redis URL into client options. Unlike Asynq it uses a user name and the parameter `db`, refuses other
 * parameters and fragments, gives a missing port its default (6379; 26379 for sentinels) and accepts a trailing slash
 * (D-C9).
 *
 * @throws InvalidOptionError that says what is wrong without showing the password.
 * @example
 * parseRedisUrl('rediss://app:secret@cache.example:6380/2');
 */
export function parseRedisUrl(url: string, option = 'redis'): RedisServerOptions {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  if (scheme === undefined || rest === undefined) throw refusal({ url, option }, `a URL: ${forms}`);
  const parts = splitUrl({ url, option }, rest);
  switch (scheme.toLowerCase()) {
    case 'redis':
    case 'valkey':
      return parseNode(parts);
    case 'rediss':
    case 'valkeys':
      return parseTlsNode(parts);
    case 'redis-socket':
    case 'unix':
      return parseSocket(parts);
    case 'redis-sentinel':
    case 'redis+sentinel':
      return parseSentinels(parts);
    default:
      throw refusal({ url, option }, `a URL of one of the forms ${forms}`);
  }
}

/** Returns a URL without user and password, for messages. */
export function hideCredentials(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0] ?? '';
  const end = url.lastIndexOf('@');
  return end < scheme.length ? url : `${scheme}***${url.slice(end)}`;
}

/** Returns a value without secrets, for messages: a string or a list may contain a password. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return hideCredentials(value);
  return Array.isArray(value) && value.length > 0 ? 'a list' : value;
}

function parseNode(parts: UrlParts): RedisServerOptions {
  checkUrlParameters(parts, ['db']);
  const { host, port } = parseHost(parts, { text: parts.hosts, defaultPort: defaultAddress.port });
  return { host, port, db: parseDb(parts), ...credentials(parts) };
}

function parseTlsNode(parts: UrlParts): RedisServerOptions {
  const options = parseNode(parts);
  // In TLS a server name cannot be an address; the certificate is then checked against the address itself.
  return { ...options, tls: isIP(options.host ?? '') === 0 ? { servername: options.host } : {} };
}

function parseSocket(parts: UrlParts): RedisServerOptions {
  if (parts.hosts !== '' || parts.path.length < 2) {
    throw refusal(parts, 'a URL with an absolute socket path: redis-socket:///path/to/redis.sock');
  }
  checkUrlParameters(parts, ['db']);
  return { path: decode(parts, parts.path), db: parseDb({ ...parts, path: '' }), ...credentials(parts) };
}

function parseSentinels(parts: UrlParts): RedisServerOptions {
  checkUrlParameters(parts, ['master', 'db']);
  const name = parts.query.get('master');
  if (name === null || name === '') throw refusal(parts, 'a URL that names the master: ...?master=mymaster');
  const sentinels = parts.hosts.split(',').map((text) => parseHost(parts, { text, defaultPort: defaultSentinelPort }));
  return {
    sentinels,
    name,
    db: parseDb(parts),
    // The credentials in the URL are for the sentinels; those of the data nodes come as options.
    ...(parts.username === undefined ? {} : { sentinelUsername: parts.username }),
    ...(parts.password === undefined ? {} : { sentinelPassword: parts.password }),
  };
}

function splitUrl(source: Pick<UrlParts, 'url' | 'option'>, rest: string): UrlParts {
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const tail = end === -1 ? '' : rest.slice(end);
  // What looks like a path would be the rest of a password, and what looks like the host its beginning.
  if (authority !== '' && tail.includes('@')) {
    throw refusal(source, `a URL whose user and password are encoded with encodeURIComponent (${encoding})`);
  }
  if (tail.includes('#')) throw refusal(source, 'a URL without #; in a password it is written %23');
  const [path = '', query = ''] = tail.split(/\?(.*)/s);
  const at = authority.lastIndexOf('@');
  const hosts = authority.slice(at + 1);
  const parts: UrlParts = { ...source, hosts, path, query: new URLSearchParams(query) };
  if (at === -1) return parts;
  const [username = '', password = ''] = authority.slice(0, at).split(/:(.*)/s);
  return {
    ...parts,
    ...(username === '' ? {} : { username: decode(parts, username) }),
    ...(password === '' ? {} : { password: decode(parts, password) }),
  };
}

function credentials(parts: UrlParts): RedisServerOptions {
  return {
    ...(parts.username === undefined ? {} : { username: parts.username }),
    ...(parts.password === undefined ? {} : { password: parts.password }),
  };
}

function parseHost(parts: UrlParts, part: { readonly text: string; readonly defaultPort: number }): HostAndPort {
  const [whole, bracketed, plain = '', port = ''] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(.*))?$/s.exec(part.text) ?? [];
  if (whole === undefined || port.includes(':')) {
    throw refusal(parts, 'a URL with host[:port], an IPv6 address in brackets: redis://[::1]:6379');
  }
  const host = decode(parts, bracketed ?? plain);
  return {
    host: host === '' ? defaultAddress.host : host,
    port: port === '' ? part.defaultPort : parsePort(parts, port),
  };
}

function parsePort(parts: UrlParts, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw refusal(parts, 'a URL with a port from 1 to 65535');
}

/** Parses the parameter `db`, or the first segment of the path; further segments are ignored. */
function parseDb(parts: UrlParts): number {
  const inPath = parts.path.split('/')[1] ?? '';
  const inQuery = parts.query.get('db');
  if (inPath !== '' && inQuery !== null && inPath !== inQuery) throw refusal(parts, 'a URL with one database');
  const text = inQuery ?? inPath;
  if (text === '' && inQuery === null) return defaultAddress.db;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw refusal(parts, 'a URL with a whole number as its database');
}

function checkUrlParameters(parts: UrlParts, names: readonly string[]): void {
  for (const name of parts.query.keys()) {
    if (names.includes(name) && parts.query.getAll(name).length === 1) continue;
    throw refusal(parts, `a URL without the parameter ${name}; it may have ${names.join(' and ')}, once`);
  }
}

function decode(parts: Pick<UrlParts, 'url' | 'option'>, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refusal(parts, 'a URL whose percent signs are written %25');
  }
}

function refusal(parts: Pick<UrlParts, 'url' | 'option'>, allowed: string): InvalidOptionError {
  return new InvalidOptionError({ path: parts.option, value: hideCredentials(parts.url), allowed });
}
