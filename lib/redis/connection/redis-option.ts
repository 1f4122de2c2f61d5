import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';
import { checkInteger, checkObject, type Given, pathOf, refuse, unknownOption } from '../../model/options/check.js';
import { suggest } from '../../model/options/suggest.js';
import { nodeOptionNames } from './ioredis-option-names.js';
import type { RedisClient } from './redis-client.js';
import { hideCredentials, parseRedisUrl } from './redis-url.js';
import { addressOf, describeServer } from './server-address.js';

/** A Redis Cluster: some of its nodes, as URLs or ioredis takes them, and ioredis' options for clusters. */
export interface RedisClusterOption {
  readonly cluster: {
    readonly nodes: readonly ClusterNode[];
    readonly options?: ClusterOptions;
  };
}

/**
 * Where Redis is:
 *
 * - a URL: `redis:`, `rediss:` (TLS), `redis-socket:` (Unix socket), `redis-sentinel:` (spec/02 §12.2);
 * - ioredis options: `{ host, port, password, tls, ... }`, or `{ sentinels, name, ... }` for sentinels;
 * - `{ cluster: { nodes, options } }`;
 * - an ioredis `Redis` or `Cluster` of yours, of version 5 or 6: it is used for commands and never closed, and copies
 *   of it (`duplicate()`) are opened and closed for signals and for waiting;
 * - no Redis at all: `'memory:'` keeps everything in this process, in a store of its own; `'memory:NAME'` in one that all
 *   with this name share until the last of them is closed. Nothing outlives the process.
 *
 * How connections are kept, what is queued and how replies are decoded is decided here: ioredis options about that
 * (`lazyConnect`, `retryStrategy`, `enableOfflineQueue`, `maxRetriesPerRequest`, `protocol`, ...) have no effect.
 *
 * @example
 * 'redis://localhost:6379/0'
 * @example
 * { sentinels: [{ host: 'sentinel-1', port: 26379 }], name: 'mymaster', password: 'secret' }
 */
export type RedisOption = string | URL | RedisOptions | RedisClusterOption | RedisClient;

/** A {@link RedisOption} read and checked. */
export type RedisTarget = { readonly place: string; readonly description: string } & (
  | { readonly kind: 'node'; readonly options: RedisOptions }
  | { readonly kind: 'cluster'; readonly seeds: readonly RedisOptions[]; readonly options: ClusterOptions }
  | { readonly kind: 'borrowed'; readonly client: RedisClient }
);

const optionForms = 'a URL, ioredis options, { sentinels, name }, { cluster } or an ioredis client';

/**
 * Reads an option that says where a Redis is; one that means memory is none.
 *
 * @throws InvalidOptionError when it is none of the forms of {@link RedisOption}.
 */
export function resolveRedisOption(given: Given): RedisTarget {
  const { path, value } = given;
  if (value instanceof URL) return nodeTarget(parseRedisUrl(value.href, path));
  if (typeof value === 'string') return nodeTarget(parseRedisUrl(value, path));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse({ path, value: withoutSecrets(value) }, optionForms);
  }
  const options = checkObject(given);
  if (isRedisClient(value)) return borrowedTarget(path, value);
  if ('cluster' in options) return clusterTarget({ path: pathOf(path, 'cluster'), value: options['cluster'] });
  return nodeOptionsTarget(path, options);
}

function isRedisClient(value: unknown): value is RedisClient {
  const client = value as Partial<Record<keyof RedisClient, unknown>>;
  return typeof client.callBuffer === 'function' && typeof client.duplicate === 'function';
}

function nodeTarget(options: RedisOptions): RedisTarget {
  return { kind: 'node', place: addressOf(options), description: describeServer(options), options };
}

function nodeOptionsTarget(path: string, options: RedisOptions): RedisTarget {
  checkSpelling(path, options);
  checkPort(path, options.port);
  checkNoPrefix(path, options);
  if (Array.isArray(options.sentinels)) {
    if (options.sentinels.length === 0) refuse({ path: pathOf(path, 'sentinels'), value: [] }, 'at least one sentinel');
    if (!options.name) refuse({ path: pathOf(path, 'name'), value: options.name }, 'the name of the master');
  }
  return nodeTarget(options);
}

function clusterTarget(given: Given): RedisTarget {
  const { nodes, options = {} } = checkObject({
    path: given.path,
    value: withoutSecrets(given.value),
  }) as Partial<RedisClusterOption['cluster']>;
  const path = pathOf(given.path, 'nodes');
  if (!Array.isArray(nodes) || nodes.length === 0) {
    refuse({ path, value: withoutSecrets(nodes) }, 'a list with at least one node of the cluster');
  }
  checkNoPrefix(pathOf(given.path, 'options'), options);
  checkNoPrefix(pathOf(given.path, 'options.redisOptions'), options.redisOptions ?? {});
  const seeds = (nodes as readonly ClusterNode[]).map((node, index) => clusterNode(`${path}[${index}]`, node));
  const addresses = seeds.map(addressOf).join(',');
  return {
    kind: 'cluster',
    place: `cluster ${addresses}`,
    description: `redis://${addresses} (cluster)`,
    seeds,
    options,
  };
}

/** What is shown of a value that stands where options should: a text or a list may hold a password. */
function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return hideCredentials(value);
  return Array.isArray(value) && value.length > 0 ? 'a list' : value;
}

/** A node's address; a URL may hold a password too. */
function clusterNode(path: string, node: ClusterNode): RedisOptions {
  if (typeof node === 'number') return { host: 'localhost', port: node };
  if (typeof node === 'string') return parseRedisUrl(node.includes('://') ? node : `redis://${node}`, path);
  return node as RedisOptions;
}

function borrowedTarget(path: string, client: RedisClient): RedisTarget {
  checkNoPrefix(path, client.options);
  if (client.options.stringNumbers === true) {
    refuse({ path: pathOf(path, 'stringNumbers'), value: true }, 'off on a client that is shared');
  }
  if (client.isCluster)
    return { kind: 'borrowed', place: 'the given cluster', description: 'the given cluster', client };
  const { options } = client;
  return { kind: 'borrowed', place: addressOf(options), description: describeServer(options), client };
}

/** A misspelt `host` would lead to localhost in silence. Names that are near none may be those of another version. */
function checkSpelling(path: string, options: RedisOptions): void {
  for (const name of Object.keys(options)) {
    const isKnown = nodeOptionNames.includes(name);
    if (!isKnown && suggest(name, nodeOptionNames) !== undefined)
      throw unknownOption(pathOf(path, name), nodeOptionNames);
  }
}

/** Text that is a number passes: ports often come from the environment. */
function checkPort(path: string, port: unknown): void {
  if (port === undefined || (typeof port === 'string' && /^\d+$/.test(port))) return;
  checkInteger({ path: pathOf(path, 'port'), value: port }, { min: 1, max: 65_535 });
}

/** Scripts build keys themselves and Go reads them, so a prefix that the client adds would tear the data apart. */
function checkNoPrefix(path: string, options: Pick<RedisOptions, 'keyPrefix'>): void {
  const { keyPrefix } = options;
  if (keyPrefix) refuse({ path: pathOf(path, 'keyPrefix'), value: keyPrefix }, 'left out: keys have fixed names');
}
