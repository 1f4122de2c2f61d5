import { isDeepStrictEqual } from 'node:util';
import { checkObject, type Given, pathOf, refuse } from '../../model/options/check.js';
import { clusterOptionNames, type RedisClusterOptions, type RedisServerOptions } from './ioredis-options.js';
import { hideCredentials, parseRedisUrl, withoutSecrets } from './redis-url.js';
import { defaultAddress } from './server-address.js';
import { checkNoPrefix, checkServerOptions } from './check-server-options.js';
import { checkOptionNames } from './unknown-option.js';

/** The seed nodes of a cluster, and the options of all nodes. */
export interface ClusterTarget {
  readonly seeds: readonly RedisServerOptions[];
  readonly options: RedisClusterOptions;
}

/**
 * Checks `{ nodes, options }`. A cluster has one set of users and one TLS configuration, and the client learns of most
 * nodes from others: user, password and TLS of the given nodes become options of all nodes.
 *
 * @throws InvalidOptionError
 */
export function checkClusterOption({ path, value }: Given): ClusterTarget {
  const cluster = checkObject({ path, value });
  checkOptionNames({ path, value: cluster }, ['nodes', 'options']);
  const { nodes, options = {} } = cluster as { readonly nodes?: unknown; readonly options?: RedisClusterOptions };
  const nodesPath = pathOf(path, 'nodes');
  if (!Array.isArray(nodes) || nodes.length === 0) {
    refuse({ path: nodesPath, value: withoutSecrets(nodes) }, 'a list with at least one node of the cluster');
  }
  const optionsPath = pathOf(path, 'options');
  checkOptionNames({ path: optionsPath, value: options }, clusterOptionNames);
  checkNoPrefix(optionsPath, options);
  const { redisOptions = {} } = options;
  checkServerOptions({ path: pathOf(optionsPath, 'redisOptions'), value: redisOptions });
  const given = nodes.map((node: unknown, index) => clusterNode({ path: `${nodesPath}[${index}]`, value: node }));
  const shared = { ...sharedByAll(given, nodesPath), ...redisOptions };
  return {
    seeds: given.map(({ host, port, family }) => ({ host, port, family })),
    options: {
      // A certificate names the host, not the address it resolves to.
      ...(shared.tls === undefined ? {} : { dnsLookup: (host, done) => done(null, host) }),
      ...options,
      redisOptions: shared,
    },
  };
}

function clusterNode({ path, value }: Given): RedisServerOptions {
  if (typeof value === 'number') return { host: defaultAddress.host, port: value };
  if (typeof value === 'object' && value !== null) return checkServerOptions({ path, value });
  if (typeof value !== 'string') refuse({ path, value }, 'a URL, a port or ioredis options');
  const options = parseRedisUrl(value.includes('://') ? value : `redis://${value}`, path);
  const shown = hideCredentials(value);
  if (options.host === undefined) refuse({ path, value: shown }, 'the URL of one server: redis://host:6379');
  if (options.db !== undefined && options.db !== 0) {
    refuse({ path, value: shown }, 'a URL without a database: a cluster has only database 0');
  }
  // TLS without the name of this one node, since it applies to the others, too.
  return options.tls === undefined ? options : { ...options, tls: {} };
}

function sharedByAll(nodes: readonly RedisServerOptions[], path: string): RedisServerOptions {
  const shared: Record<string, unknown> = {};
  for (const node of nodes) {
    for (const name of ['username', 'password', 'tls'] as const) {
      const value = node[name];
      if (value === undefined) continue;
      if (shared[name] !== undefined && !isDeepStrictEqual(shared[name], value)) {
        refuse({ path, value: 'nodes that differ' }, `nodes with the same ${name}`);
      }
      shared[name] = value;
    }
  }
  return shared;
}
