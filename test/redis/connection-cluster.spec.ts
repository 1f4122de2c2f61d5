import { Cluster } from 'ioredis';
import {
  BrokerCommandError,
  BrokerUnavailableError,
  UnsupportedRedisError,
} from '../../lib/model/errors/broker-errors.js';
import type { RedisConnection } from '../../lib/redis/connection/redis-connection.js';
import { aConnection, aWait, closeConnections } from '../support/connections.js';
import { watchLeaks } from '../support/leak-check.js';
import { type RunningCluster, startCluster } from '../support/redis-cluster.js';
import { until } from '../support/until.js';

describe('a RedisConnection to a cluster', () => {
  let cluster: RunningCluster;
  // Keys of the three nodes, in the nodes' order.
  let keys: readonly string[];

  beforeAll(async () => {
    cluster = await startCluster(3);
    const found = new Map<number, string>();
    for (let index = 0; found.size < 3; index++) {
      const key = `asynq:{q${index}}:pending`;
      found.set(await cluster.ownerOf(key), key);
    }
    keys = [0, 1, 2].map((index) => found.get(index) as string);
  });

  afterEach(closeConnections);

  afterAll(() => cluster.stop());

  const seed = (): RedisConnection => aConnection({ cluster: { nodes: cluster.addresses.slice(0, 1) } });

  it('finds the node of every key from one of the nodes', async () => {
    const connection = seed();
    await connection.open();
    for (const [index, key] of keys.entries()) {
      expect(
        await connection.send('eval', ["return redis.call('SET', KEYS[1], ARGV[1])", 1, key, `on ${index}`]),
      ).toEqual(Buffer.from('OK'));
      expect(await cluster.client(index).get(key)).toBe(`on ${index}`);
    }
    const failure = await connection
      .send('eval', ['return 1', 2, ...keys.slice(0, 2)])
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BrokerCommandError);
    expect(failure).toMatchObject({ message: expect.stringContaining('CROSSSLOT') as string });
  });

  it('runs a script on a node that does not know it yet, and says so', async () => {
    const connection = seed();
    const [sha] = (await connection.sendToEach('script', ['LOAD', 'return ARGV[1]'])) as Buffer[];
    for (const key of keys) expect(String(await connection.send('evalsha', [String(sha), 1, key, 'a']))).toBe('a');
    await cluster.client(1).script('FLUSH');
    await expect(connection.send('evalsha', [String(sha), 1, keys[1] as string, 'a'])).rejects.toThrow(/^NOSCRIPT/);
  });

  it('refuses a cluster node that is configured as a single server, and says what to do', async () => {
    const { port } = cluster.nodes[0] as { readonly port: number };
    for (const option of [`redis://127.0.0.1:${port}`, cluster.client(0)]) {
      const connection = aConnection(option);
      const failure = await connection.open().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(UnsupportedRedisError);
      expect((failure as Error).message).toEqual(
        expect.stringMatching(
          /^Redis at [\w.]+:\d+ is a cluster node; set redis to \{ cluster: \{ nodes: \[...\] \} \}/,
        ),
      );
    }
  });

  it('warns about each master that evicts keys', async () => {
    await cluster.client(2).config('SET', 'maxmemory-policy', 'volatile-ttl');
    const warnings: string[] = [];
    const { addresses } = cluster;
    const connection = aConnection({ cluster: { nodes: addresses } }, { warn: (text) => void warnings.push(text) });
    await connection.open();
    await until('the masters were asked', () => warnings.length > 0);
    expect(warnings).toEqual([expect.stringContaining('has maxmemory-policy volatile-ttl')]);
    await cluster.client(2).config('SET', 'maxmemory-policy', 'noeviction');
  });

  it('uses the password in the URL of one node for every node', async () => {
    const setPassword = (password: string): Promise<unknown> =>
      Promise.all([0, 1, 2].map((index) => cluster.client(index).config('SET', 'requirepass', password)));
    await setPassword('secret');
    const [{ port } = { port: 0 }] = cluster.addresses;
    const connection = aConnection({ cluster: { nodes: [`redis://:secret@127.0.0.1:${port}`] } });
    for (const key of keys) expect(await connection.send('exists', [key])).not.toBeNull();
    const waiting = connection.sendBlocking(aWait(keys[1]?.replace('pending', 'behind a password') as string));
    await cluster.client(1).lpush(keys[1]?.replace('pending', 'behind a password') as string, 'element');
    expect(String(await waiting)).toBe('element');
    await setPassword('');
  });

  it('sends to each master in a stable order, or to one of them', async () => {
    const connection = seed();
    const ids = await connection.sendToEach('cluster', ['MYID']);
    expect(new Set(ids.map(String)).size).toBe(3);
    expect(await aConnection({ cluster: { nodes: cluster.addresses } }).sendToEach('cluster', ['MYID'])).toEqual(ids);
    for (const [index, id] of ids.entries())
      expect(await connection.sendToNode(index, 'cluster', ['MYID'])).toEqual(id);
    expect(await connection.sendToNode(3, 'cluster', ['MYID'])).toBeUndefined();
  });

  it('waits on the node that holds the key', async () => {
    const connection = seed();
    const lists = keys.map((key) => key.replace('pending', 'list'));
    const waits = lists.map((list) => connection.sendBlocking(aWait(list)));
    for (const [index, list] of lists.entries()) {
      await until('it is waited for', async () =>
        (await cluster.client(index).info('clients')).includes('blocked_clients:1'),
      );
      await cluster.client(index).lpush(list, `element ${index}`);
    }
    expect((await Promise.all(waits)).map(String)).toEqual(['element 0', 'element 1', 'element 2']);
    const end = new AbortController();
    const aborted = connection.sendBlocking(
      aWait(`${lists[0]}2`, { connectionKey: lists[0] as string, signal: end.signal }),
    );
    await until('it is waited for', async () =>
      (await cluster.client(0).info('clients')).includes('blocked_clients:1'),
    );
    end.abort();
    expect(await aborted).toBe('aborted');
    await until('nobody waits', async () => (await cluster.client(0).info('clients')).includes('blocked_clients:0'));
  });

  it('receives what is published on any node', async () => {
    const connection = seed();
    const heard: string[] = [];
    const listener = {
      channels: ['asynq:cancel'],
      onMessage: (_: string, text: string) => heard.push(text),
      onReconnect: () => {},
    };
    const stop = await connection.subscribe(listener);
    for (const index of [0, 1, 2]) await cluster.client(index).publish('asynq:cancel', `from ${index}`);
    await until('all are heard', () => heard.length === 3);
    await stop();
  });

  it('leaves a borrowed client unchanged', async () => {
    const lent = new Cluster([...cluster.addresses], { redisOptions: { protocol: 2 } });
    lent.on('error', () => {});
    const connection = aConnection(lent);
    await connection.open();
    await connection.send('set', [keys[2] as string, 'lent']);
    await cluster.client(1).lpush(`${keys[1]}:list`, 'element');
    expect(String(await connection.sendBlocking(aWait(`${keys[1]}:list`)))).toBe('element');
    const listener = { channels: ['asynq:cancel'], onMessage: () => {}, onReconnect: () => {} };
    await connection.subscribe(listener);
    await connection.close();
    expect(await lent.get(keys[2] as string)).toBe('lent');
    expect(lent.status).toBe('ready');
    lent.disconnect();
  });

  it('follows a slot that moves to another node', async () => {
    const connection = seed();
    await connection.send('set', [keys[0] as string, 'moving']);
    await cluster.client(0).flushall();
    const slot = await cluster.client(0).cluster('KEYSLOT', keys[0] as string);
    const to = await cluster.client(1).cluster('MYID');
    for (const index of [1, 0, 2]) await cluster.client(index).call('CLUSTER', 'SETSLOT', slot, 'NODE', to);
    expect(String(await connection.send('set', [keys[0] as string, 'moved']))).toBe('OK');
    expect(await cluster.client(1).get(keys[0] as string)).toBe('moved');
  });

  it('says which part is unavailable while a node is away, and uses it again when it is back', async () => {
    const connection = aConnection({ cluster: { nodes: cluster.addresses } }, { commandTimeout: 1_000 });
    await connection.send('set', [keys[2] as string, 'x']);
    await cluster.nodes[2]?.kill();
    await expect(connection.send('set', [keys[2] as string, 'x'])).rejects.toThrow(BrokerUnavailableError);
    expect(String(await connection.send('set', [keys[1] as string, 'x']))).toBe('OK');
    await cluster.nodes[2]?.start();
    await until('the node serves its keys again', () =>
      connection.send('set', [keys[2] as string, 'back']).then(() => true),
    );
  });

  it('leaves nothing open', async () => {
    const leaks = watchLeaks();
    const connection = seed();
    await connection.open();
    for (const key of keys) await connection.send('get', [key]).catch(() => {});
    await connection.close();
    const absent = aConnection({ cluster: { nodes: [{ host: '127.0.0.1', port: 1 }] } }, { connectTimeout: 300 });
    await expect(absent.open()).rejects.toThrow(/Redis at cluster 127\.0\.0\.1:1 could not be reached within 300 ms/);
    await absent.close();
    await leaks.expectNone();
  });
});
