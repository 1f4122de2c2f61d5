import { DEFAULT_CLUSTER_OPTIONS as cluster6 } from 'ioredis/built/cluster/ClusterOptions.js';
import { DEFAULT_REDIS_OPTIONS as server6 } from 'ioredis/built/redis/RedisOptions.js';
import type * as ioredis6 from 'ioredis';
import type * as ioredis5 from 'ioredis5';
import { DEFAULT_CLUSTER_OPTIONS as cluster5 } from 'ioredis5/built/cluster/ClusterOptions.js';
import { DEFAULT_REDIS_OPTIONS as server5 } from 'ioredis5/built/redis/RedisOptions.js';
import {
  clusterOptionNames,
  type RedisClusterOptions,
  type RedisServerOptions,
  serverOptionNames,
} from '../../lib/redis/connection/ioredis-options.js';
import { type RedisOption, resolveRedisOption } from '../../lib/redis/connection/redis-option.js';

type KnownServerName = keyof ioredis5.RedisOptions | keyof ioredis6.RedisOptions;
type KnownClusterName = keyof ioredis5.ClusterOptions | keyof ioredis6.ClusterOptions;

// These lines prove by compiling that what ioredis 5 and 6 call options are options here, and nothing else is.
const serverNames: Record<KnownServerName, true> = {} as Record<keyof RedisServerOptions, true>;
const clusterNames: Record<KnownClusterName, true> = {} as Record<keyof RedisClusterOptions, true>;
const noOtherServerName: Record<keyof RedisServerOptions, true> = serverNames;
const noOtherClusterName: Record<keyof RedisClusterOptions, true> = clusterNames;

describe('the options of ioredis', () => {
  it.each([
    ['6', server6, cluster6],
    ['5', server5, cluster5],
  ])('of version %s are all known by name', (_version, server, cluster) => {
    expect(serverOptionNames).toEqual(expect.arrayContaining(Object.keys(server)));
    expect(clusterOptionNames).toEqual(expect.arrayContaining(Object.keys(cluster)));
    expect([noOtherServerName, noOtherClusterName]).toEqual([{}, {}]);
  });

  it('may be typed by ioredis 5 or 6, whichever the application has', () => {
    const of5: ioredis5.RedisOptions = { host: 'cache', port: 1, tls: {}, retryStrategy: () => 100 };
    const of6: ioredis6.RedisOptions = { sentinels: [{ host: 's' }], name: 'm', reconnectOnError: () => false };
    const cluster5Options: ioredis5.ClusterOptions = { redisOptions: { password: 'secret' }, natMap: {} };
    const cluster6Options: ioredis6.ClusterOptions = { dnsLookup: (name, done) => done(null, name), scaleReads: 'all' };
    const nodesOf6: ioredis6.ClusterNode[] = [1, 'n2', { host: 'n3' }];
    const options: RedisOption[] = [
      of5,
      of6,
      { cluster: { nodes: [of5], options: cluster5Options } },
      { cluster: { nodes: nodesOf6, options: cluster6Options } },
      // Parameters of functions are typed when they are written in place.
      { cluster: { nodes: ['n1'], options: { dnsLookup: (name, done) => done(null, name) } } },
      { host: 'cache', retryStrategy: (times) => times * 10, commandTimeout: 5, enableOfflineQueue: false },
    ];
    for (const option of options) expect(resolveRedisOption({ path: 'redis', value: option })).toBeDefined();
    // @ts-expect-error A misspelled name does not compile.
    expect(() => resolveRedisOption({ path: 'redis', value: { hostname: 'cache' } satisfies RedisOption })).toThrow();
  });
});
