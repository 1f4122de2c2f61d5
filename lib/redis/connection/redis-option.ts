import { checkObject, type Given, pathOf, refuse } from '../../model/options/check.js';
import { checkClusterOption } from './cluster-option.js';
import type { RedisClusterOptions, RedisServerOptions } from './ioredis-options.js';
import type { RedisClient } from './redis-client.js';
import { parseRedisUrl, withoutSecrets } from './redis-url.js';
import { addressOf, describeServer } from './server-address.js';
import { checkNoPrefix, checkServerOptions, undefinedParts } from './check-server-options.js';
import { checkOptionNames } from './unknown-option.js';

/** A Redis Cluster: some of its nodes, as URLs or in ioredis' format, and ioredis' options for clusters. */
export interface RedisClusterOption {
  readonly cluster: {
    /** One is enough. User, password and TLS of a node apply to all nodes. */
    readonly nodes: readonly (string | number | RedisServerOptions)[];
    readonly options?: RedisClusterOptions | undefined;
  };
}

/**
 * Where Redis is:
 *
 * - a URL: `redis:`, `rediss:` (TLS), `redis-socket:` (Unix socket), `redis-sentinel:`; `valkey:`, `valkeys:` and `unix:`
 *   mean the same as the first three;
 * - ioredis options: `{ host, port, password, tls, ... }`, or `{ sentinels, name, ... }` for sentinels;
 * - `{ cluster: { nodes, options } }`;
 * - an ioredis `Redis` or `Cluster` of yours, of version 5 or 6: it is used for commands and never closed, and copies
 *   of it
 *   (`duplicate()`) are opened and closed for signals and for waiting;
 * - no Redis at all: `'memory:'` keeps everything in this process, in its own store; `'memory:NAME'` in a store that
 *   everything
 *   with this name shares until the last user closes it. Nothing outlives the process.
 *
 * The library decides how connections are kept, what is queued and how replies are decoded: ioredis options for that
 * (`lazyConnect`, `retryStrategy`, `enableOfflineQueue`, `maxRetriesPerRequest`, `protocol`, ...) have no effect.
 *
 * @example
 * 'redis://localhost:6379/0'
 * @example
 * { sentinels: [{ host: 'sentinel-1', port: 26379 }], name: 'mymaster', password: 'secret' }
 */
export type RedisOption = string | URL | RedisServerOptions | RedisClusterOption | RedisClient;

/** A parsed and checked {@link RedisOption}. */
export type RedisTarget = { readonly place: string; readonly description: string } & (
  | { readonly kind: 'node'; readonly options: RedisServerOptions }
  | { readonly kind: 'cluster'; readonly seeds: readonly RedisServerOptions[]; readonly options: RedisClusterOptions }
  | { readonly kind: 'borrowed'; readonly client: RedisClient }
);

const optionForms = 'a URL, ioredis options, { sentinels, name }, { cluster } or an ioredis client';

/**
 * Parses an option that says where Redis is, not one that means memory.
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
  if (isRedisClient(value)) return borrowedTarget(path, value);
  const options = checkObject(given);
  if ('cluster' in options) {
    checkOptionNames({ path, value: options }, ['cluster']);
    return clusterTarget({ path: pathOf(path, 'cluster'), value: options['cluster'] });
  }
  return nodeTarget(checkServerOptions({ path, value: options }));
}

/** Returns warnings about the `undefined` parts of an address in a checked option. */
export function undefinedAddresses(option: RedisOption, path: string): readonly string[] {
  if (typeof option !== 'object' || option instanceof URL || isRedisClient(option)) return [];
  if (!('cluster' in option)) return undefinedParts(option, path);
  return option.cluster.nodes.flatMap((node, index) =>
    typeof node === 'object' ? undefinedParts(node, `${path}.cluster.nodes[${index}]`) : [],
  );
}

function isRedisClient(value: unknown): value is RedisClient {
  const client = value as Partial<Record<keyof RedisClient, unknown>>;
  return typeof client.callBuffer === 'function' && typeof client.duplicate === 'function';
}

function nodeTarget(options: RedisServerOptions): RedisTarget {
  return { kind: 'node', place: addressOf(options), description: describeServer(options), options };
}

function clusterTarget({ path, value }: Given): RedisTarget {
  const cluster = checkClusterOption({ path, value: withoutSecrets(value) });
  const addresses = cluster.seeds.map(addressOf).join(',');
  return {
    kind: 'cluster',
    place: `cluster ${addresses}`,
    description: `redis://${addresses} (cluster)`,
    ...cluster,
  };
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
