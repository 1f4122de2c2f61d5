import { Cluster, Redis } from 'ioredis';
import { InvalidOptionError } from '../../lib/model/errors/option-errors.js';
import { resolveConnectionLimits } from '../../lib/redis/connection/connection-limits.js';
import { aConnection } from '../support/connections.js';
import { type RedisOption, type RedisTarget, resolveRedisOption } from '../../lib/redis/connection/redis-option.js';

function resolve(value: unknown): RedisTarget {
  return resolveRedisOption({ path: 'AsynqModule: redis', value });
}

describe('the redis option', () => {
  it('takes a URL, as text or as an object', () => {
    const target = { kind: 'node', place: 'cache:7000', options: { host: 'cache', port: 7000, db: 1 } };
    expect(resolve('redis://cache:7000/1')).toMatchObject(target);
    expect(resolve(new URL('redis://cache:7000/1'))).toMatchObject(target);
  });

  it.each<[string, RedisOption, string]>([
    ['host and port', { host: 'cache', port: 7000 }, 'cache:7000'],
    ['defaults', {}, 'localhost:6379'],
    ['an IPv6 host', { host: '::1' }, '[::1]:6379'],
    ['a socket', { path: '/run/redis.sock' }, '/run/redis.sock'],
    [
      'sentinels',
      { sentinels: [{ host: 's1' }, { port: 1 }], name: 'm' },
      'master "m" of sentinels s1:26379,localhost:1',
    ],
    ['a cluster', { cluster: { nodes: [{ host: 'n1', port: 1 }, 7000] } }, 'cluster n1:1,localhost:7000'],
    ['a cluster of URLs', { cluster: { nodes: ['redis://:secret@n1:1', 'n2:2'] } }, 'cluster n1:1,n2:2'],
    ['a secret', { host: 'cache', username: 'app', password: 'secret' }, 'cache:6379'],
  ])('names the place of %s in messages, without secrets', (_name, option, place) => {
    expect(resolve(option).place).toBe(place);
  });

  it.each<[string, RedisOption, string]>([
    ['a server', 'redis://app:secret@cache/2', 'redis://cache:6379/2'],
    ['defaults', {}, 'redis://localhost:6379/0'],
    ['TLS', { host: '::1', tls: {}, password: 'secret', db: 1 }, 'rediss://[::1]:6379/1'],
    ['a socket', { path: '/run/redis.sock', db: 3 }, 'redis-socket:///run/redis.sock?db=3'],
    [
      'sentinels',
      { sentinels: [{ host: 's1' }, { port: 1 }], name: 'm', sentinelPassword: 'secret' },
      'redis-sentinel://s1:26379,localhost:1/0?master=m',
    ],
    ['a cluster', { cluster: { nodes: ['redis://:secret@n1:1', 'n2:2'] } }, 'redis://n1:1,n2:2 (cluster)'],
    ['a client', new Redis({ lazyConnect: true, port: 7000, password: 'secret' }), 'redis://localhost:7000/0'],
  ])('describes %s with its database, without secrets', (_name, option, description) => {
    expect(resolve(option).description).toBe(description);
  });

  it('applies user, password and TLS of one cluster node to all nodes', () => {
    const target = resolve({ cluster: { nodes: ['rediss://app:secret@n1:1', 'n2', { host: 'n3', port: 3 }] } });
    expect(target).toMatchObject({
      seeds: [
        { host: 'n1', port: 1 },
        { host: 'n2', port: 6379 },
        { host: 'n3', port: 3 },
      ],
      options: { redisOptions: { username: 'app', password: 'secret', tls: {} } },
    });
    const { options } = target as Extract<RedisTarget, { kind: 'cluster' }>;
    // The certificate is checked against the name that was given, not against an address.
    options.dnsLookup?.('n1', (error, address) => expect([error, address]).toEqual([null, 'n1']));
    expect(options.redisOptions?.tls).toEqual({});
  });

  it("prefers a cluster's own options over those of its nodes", () => {
    const tls = { ca: 'x' };
    const dnsLookup = (): void => {};
    const options = { dnsLookup, redisOptions: { password: 'other', tls } };
    expect(resolve({ cluster: { nodes: ['rediss://:secret@n1'], options } })).toMatchObject({ options });
    expect(resolve({ cluster: { nodes: ['n1'] } })).toMatchObject({ options: { redisOptions: {} } });
  });

  it('treats an ioredis client as borrowed', () => {
    const redis = new Redis({ lazyConnect: true, port: 7000 });
    const cluster = new Cluster([7000], { lazyConnect: true });
    expect(resolve(redis)).toMatchObject({ kind: 'borrowed', place: 'localhost:7000', client: redis });
    expect(resolve(cluster)).toMatchObject({ kind: 'borrowed', place: 'the given cluster', client: cluster });
    expect([redis.status, cluster.status]).toEqual(['wait', 'wait']);
  });

  it.each<[string, RedisOption, readonly string[]]>([
    ['a host', { host: undefined, port: 7000 }, ['redis.host is undefined, so localhost is used']],
    [
      'a port and a database',
      { host: 'cache', port: undefined, db: undefined },
      ['redis.port is undefined, so 6379 is used', 'redis.db is undefined, so 0 is used'],
    ],
    [
      'the host of a cluster node',
      { cluster: { nodes: ['n1', { host: undefined }] } },
      ['redis.cluster.nodes[1].host is undefined, so localhost is used'],
    ],
    [
      'the port of a sentinel',
      { sentinels: [{ host: 's' }, { host: 's', port: undefined }], name: 'm', host: undefined },
      ['redis.sentinels[1].port is undefined, so 26379 is used'],
    ],
    ['a host beside a socket', { path: '/run/r.sock', host: undefined }, []],
    ['a password', { host: 'cache', password: undefined }, []],
    ['nothing in a URL', new URL('redis://cache'), []],
  ])('tells of parts of an address without a value: %s', async (_name, option, expected) => {
    const warnings: string[] = [];
    const connection = aConnection(option, { warn: (message) => void warnings.push(message) });
    const meant = '; leave the option out if that is intended';
    expect(warnings).toEqual(expected.map((message) => `${message}${meant}`));
    await connection.close();
  });

  it.each<[string, unknown, string]>([
    ['a store in memory', 'memory:', 'AsynqModule: redis must be a URL'],
    [
      'nothing',
      undefined,
      'AsynqModule: redis must be a URL, ioredis options, { sentinels, name }, { cluster } or an ioredis client',
    ],
    ['a number', 6379, 'AsynqModule: redis must be a URL, ioredis options'],
    ['a list', ['redis://:secret@x'], 'or an ioredis client, got "a list"'],
    ['a wrong URL', 'redis://x/y', 'AsynqModule: redis must be a URL with a whole number as its database'],
    [
      'sentinels without a name',
      { sentinels: [{ host: 's' }] },
      'AsynqModule: redis.name must be the name of the master',
    ],
    ...Object.entries({
      url: "the URL itself as the option: redis: 'redis://host:6379/0'",
      uri: 'the URL itself',
      addr: 'host and port',
      socket: 'host and port, or path',
      redis: 'its options themselves',
      hostname: 'host',
      database: 'db',
      auth_pass: 'password',
      masterName: 'name',
      ssl: 'tls',
      nodes: 'cluster: { nodes }',
    }).map(([name, meant]): [string, unknown, string] => [
      `the name ${name}`,
      { host: 'cache', [name]: { host: 'cache' } },
      `AsynqModule: redis.${name} is not an option; use ${meant}`,
    ]),
    ['a name that nobody knows', { enableFoo: true }, 'AsynqModule: redis.enableFoo is not an option'],
    ['a name beside cluster', { cluster: { nodes: [1] }, password: 's' }, 'redis.password is not an option'],
    [
      'a name of a cluster',
      { cluster: { nodes: [1], redisOptions: {} } },
      'redis.cluster.redisOptions is not an option',
    ],
    [
      'a name of its options',
      { cluster: { nodes: [1], options: { password: 's' } } },
      'redis.cluster.options.password is not an option',
    ],
    [
      'a name of its nodes',
      { cluster: { nodes: [{ hostname: 'n1' }] } },
      'redis.cluster.nodes[0].hostname is not an option; use host',
    ],
    [
      'nodes with several passwords',
      { cluster: { nodes: ['redis://:one@n1', 'redis://:two@n2'] } },
      'redis.cluster.nodes must be nodes with the same password',
    ],
    [
      'a node with a database',
      { cluster: { nodes: ['redis://:secret@n1/5'] } },
      'must be a URL without a database: a cluster has only database 0, got "redis://***@n1/5"',
    ],
    ['a socket as a node', { cluster: { nodes: ['unix:///r'] } }, 'nodes[0] must be the URL of one server'],
    ['a sentinel by address', { sentinels: [{ address: 's' }], name: 'm' }, 'sentinels[0].address is not an option'],
    ['a URL as host', { host: 'redis://:secret@h' }, 'must be a host name or an address, without scheme and port'],
    ['a host with its port', { host: 'cache:6379' }, 'redis.host must be a host name or an address'],
    ['a database by name', { db: 'orders' }, 'redis.db must be an integer of at least 0, got "orders"'],
    ['a misspelt host', { hots: 'cache' }, 'AsynqModule: redis.hots is not an option; did you mean host?'],
    ['a port that is no number', { port: 'abc' }, 'AsynqModule: redis.port must be a positive integer, got "abc"'],
    ['no sentinel', { sentinels: [], name: 'm' }, 'AsynqModule: redis.sentinels must be at least one sentinel'],
    [
      'a cluster without nodes',
      { cluster: { nodes: [] } },
      'AsynqModule: redis.cluster.nodes must be a list with at least one node of the cluster',
    ],
    [
      'one node',
      { cluster: { nodes: 'redis://:secret@n1' } },
      'at least one node of the cluster, got "redis://***@n1"',
    ],
    ['a cluster by its URL', { cluster: 'redis://:secret@n1' }, 'must be an object, got "redis://***@n1"'],
    ['a cluster that is none', { cluster: 'n1' }, 'AsynqModule: redis.cluster must be an object'],
    ['a wrong node', { cluster: { nodes: ['n1:x'] } }, 'AsynqModule: redis.cluster.nodes[0] must be a URL with a port'],
    ['a key prefix', { keyPrefix: 'p:' }, 'AsynqModule: redis.keyPrefix must be left out: keys have fixed names'],
    [
      'a key prefix of a cluster',
      { cluster: { nodes: [1], options: { redisOptions: { keyPrefix: 'p:' } } } },
      'AsynqModule: redis.cluster.options.redisOptions.keyPrefix must be left out',
    ],
    [
      'a key prefix of a lent client',
      new Redis({ lazyConnect: true, keyPrefix: 'p:' }),
      'AsynqModule: redis.keyPrefix must be left out',
    ],
    [
      'a lent client with numbers as text',
      new Redis({ lazyConnect: true, stringNumbers: true }),
      'AsynqModule: redis.stringNumbers must be off on a client that is shared',
    ],
  ])('refuses %s', (_name, option, message) => {
    expect(() => resolve(option)).toThrow(InvalidOptionError);
    expect(() => resolve(option)).toThrow(message);
  });
});

describe('the limits of a connection', () => {
  it('have defaults', () => {
    expect(resolveConnectionLimits({}, 'redis:')).toEqual({
      connectTimeout: 10_000,
      commandTimeout: 5_000,
      blockingConnections: 4,
    });
  });

  it.each([
    [{ connectTimeout: 0 }, 'connectTimeout must be'],
    [{ commandTimeout: 'soon' as never }, 'commandTimeout must be'],
    [{ blockingConnections: -1 }, 'blockingConnections must be an integer from 0 to 64, got -1'],
  ])('refuse %j', (options, message) => {
    expect(() => resolveConnectionLimits(options, 'AsynqModule:')).toThrow(`AsynqModule: ${message}`);
  });
});
