import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';
import { InvalidOptionError } from '../../model/errors/option-errors.js';

const defaultPort = 6379;
const defaultSentinelPort = 26379;
const forms =
  'redis://[user:password@]host[:port][/db], rediss://..., redis-socket://[user:password@]/path[?db=n] or ' +
  'redis-sentinel://[user:password@]host[:port],host[:port][/db]?master=name';

interface UrlParts {
  readonly url: string;
  /** The option that has the URL, for error messages. */
  readonly option: string;
  readonly username?: string;
  readonly password?: string;
  /** Between the user and the path, as written. */
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
 * The client options that a Redis URL stands for (spec/02 §12.2). Unlike Asynq it honours a user name, gives a
 * missing port its default (6379; 26379 for sentinels) and takes a trailing slash (D-C9).
 *
 * @throws InvalidOptionError that says what is wrong and never shows the password.
 * @example
 * parseRedisUrl('rediss://app:secret@cache.example:6380/2');
 */
export function parseRedisUrl(url: string, option = 'redis'): RedisOptions {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  if (scheme === undefined || rest === undefined) throw refusal({ url, option }, `a URL: ${forms}`);
  const parts = splitUrl({ url, option }, rest);
  switch (scheme.toLowerCase()) {
    case 'redis':
      return parseNode(parts);
    case 'rediss':
      return parseTlsNode(parts);
    case 'redis-socket':
      return parseSocket(parts);
    case 'redis-sentinel':
    case 'redis+sentinel':
      return parseSentinels(parts);
    default:
      throw refusal({ url, option }, `a URL of one of the forms ${forms}`);
  }
}

/** A URL as it may be shown: without user and password. */
export function hideCredentials(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0] ?? '';
  const end = url.lastIndexOf('@');
  return end < scheme.length ? url : `${scheme}***${url.slice(end)}`;
}

function parseNode(parts: UrlParts): RedisOptions {
  const { host, port } = parseHost(parts, { text: parts.hosts, defaultPort });
  return { host, port, db: parseDbPath(parts), ...credentials(parts) };
}

function parseTlsNode(parts: UrlParts): RedisOptions {
  const options = parseNode(parts);
  // TLS knows no server name that is an address; the certificate is then checked against the address itself.
  return { ...options, tls: isIP(options.host ?? '') === 0 ? { servername: options.host } : {} };
}

function parseSocket(parts: UrlParts): RedisOptions {
  if (parts.hosts !== '' || parts.path.length < 2) {
    throw refusal(parts, 'a URL with an absolute socket path: redis-socket:///path/to/redis.sock');
  }
  const db = parts.query.get('db');
  return { path: decode(parts, parts.path), db: db === null ? 0 : parseDb(parts, db), ...credentials(parts) };
}

function parseSentinels(parts: UrlParts): RedisOptions {
  const name = parts.query.get('master');
  if (name === null || name === '') throw refusal(parts, 'a URL that names the master: ...?master=mymaster');
  const sentinels = parts.hosts.split(',').map((text) => parseHost(parts, { text, defaultPort: defaultSentinelPort }));
  return {
    sentinels,
    name,
    db: parseDbPath(parts),
    // What stands in the URL is for the sentinels; the data nodes' own come as options.
    ...(parts.username === undefined ? {} : { sentinelUsername: parts.username }),
    ...(parts.password === undefined ? {} : { sentinelPassword: parts.password }),
  };
}

function splitUrl(clients: Pick<UrlParts, 'url' | 'option'>, rest: string): UrlParts {
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const [path = '', query = ''] = (end === -1 ? '' : rest.slice(end)).replace(/#.*$/s, '').split(/\?(.*)/s);
  const at = authority.lastIndexOf('@');
  const hosts = authority.slice(at + 1);
  const parts: UrlParts = { ...clients, hosts, path, query: new URLSearchParams(query) };
  if (at === -1) return parts;
  const [username = '', password = ''] = authority.slice(0, at).split(/:(.*)/s);
  return {
    ...parts,
    ...(username === '' ? {} : { username: decode(parts, username) }),
    ...(password === '' ? {} : { password: decode(parts, password) }),
  };
}

function credentials(parts: UrlParts): RedisOptions {
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
  return { host: host === '' ? 'localhost' : host, port: port === '' ? part.defaultPort : parsePort(parts, port) };
}

function parsePort(parts: UrlParts, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw refusal(parts, 'a URL with a port from 1 to 65535');
}

/** The database is the first segment of the path; further ones are ignored. */
function parseDbPath(parts: UrlParts): number {
  const first = parts.path.split('/')[1] ?? '';
  return first === '' ? 0 : parseDb(parts, first);
}

function parseDb(parts: UrlParts, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw refusal(parts, 'a URL with a whole number as its database');
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
