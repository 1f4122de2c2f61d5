import { Cluster } from 'ioredis';
import { startTcpProxy } from '../../scripts/tcp-proxy.mjs';
import type { RedisConnection } from '../../lib/redis/connection/redis-connection.js';
import type { RedisOption } from '../../lib/redis/connection/redis-option.js';
import { aConnection, closeConnections, recordAvailability } from '../support/connections.js';
import { type RunningCluster, startCluster } from '../support/redis-cluster.js';
import { type SlowProxy, startSlowProxy, type Way } from '../support/slow-proxy.js';

import { until } from '../support/until.js';
import { VirtualClock } from '../support/virtual-clock.js';

const piece = 4_000_000;
const pieces = 10;
const big = Buffer.alloc(piece * pieces, 'x');

describe('slow links to the nodes of a cluster', () => {
  let cluster: RunningCluster;
  let proxies: readonly SlowProxy[];
  let natMap: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  /** Keys of the first two nodes. */
  let slow: string;
  let other: string;
  let clock: VirtualClock;

  beforeAll(async () => {
    cluster = await startCluster(3);
    proxies = await Promise.all(cluster.addresses.map(async ({ port }) => await startSlowProxy(port)));
    natMap = Object.fromEntries(
      cluster.addresses.map(({ host, port }, index) => [`${host}:${port}`, { host, port: proxies[index]?.port ?? 0 }]),
    );
    const keyOn = async (node: number): Promise<string> => {
      for (let index = 0; ; index++) if ((await cluster.ownerOf(`key ${index}`)) === node) return `key ${index}`;
    };
    slow = await keyOn(0);
    other = await keyOn(1);
  });

  beforeEach(() => {
    clock = new VirtualClock();
  });

  afterEach(async () => {
    for (const proxy of proxies) {
      proxy.release('up');
      proxy.release('down');
    }
    await closeConnections();
  });

  afterAll(async () => {
    await Promise.all(proxies.map(async (proxy) => await proxy.stop()));
    await cluster.stop();
  });

  const nodes = (): readonly { readonly host: string; readonly port: number }[] =>
    proxies.map(({ port }) => ({ host: '127.0.0.1', port }));
  const first = (): SlowProxy => proxies[0] as SlowProxy;

  async function open(
    option: RedisOption = { cluster: { nodes: nodes(), options: { natMap } } },
  ): Promise<RedisConnection> {
    const connection = aConnection(option, { clock });
    await connection.open();
    for (const key of [slow, other]) await connection.send('del', [key]);
    return connection;
  }

  /** All of the big value but its end goes through, a piece every 2 s; meanwhile the other node is at work. */
  async function creep(way: Way, connection: RedisConnection): Promise<void> {
    for (let sent = 0; sent < pieces - 1; sent++) {
      await first().pass(way, piece);
      await connection.send('incr', [other]);
      await clock.advance('2s');
    }
  }

  it('are waited for while a payload goes out, and while an answer comes in', async () => {
    const connection = await open();
    const heard = recordAvailability(connection);
    first().hold('up');
    const sent = connection.send('set', [slow, big]);
    await creep('up', connection);
    first().release('up');
    expect(String(await sent)).toBe('OK');
    first().hold('down');
    const answer = connection.send('get', [slow]);
    await creep('down', connection);
    first().release('down');
    expect(((await answer) as Buffer).length).toBe(big.length);
    expect(heard).toEqual([]);
  });

  it('are given up separately when nothing moves, and opened again', async () => {
    const connection = await open();
    first().hold('up');
    const outcomes = [slow, slow].map((key) => connection.send('set', [key, big]).catch((error: unknown) => error));
    for (let second = 0; second < 7; second++) {
      await connection.send('incr', [other]);
      await clock.advance('1s');
    }
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ code: 'ASYNQ_BROKER_UNAVAILABLE' });
    expect(Number(await connection.send('incr', [other]))).toBe(8);
    first().release('up');
    await until('the node is asked again', () => connection.send('set', [slow, 'x']).then(() => true));
  });

  it('are opened again when they fail silently', async () => {
    const [{ port } = { port: 0 }] = cluster.addresses;
    const mortal = await startTcpProxy(port);
    const options = { natMap: { ...natMap, [`127.0.0.1:${port}`]: { host: '127.0.0.1', port: mortal.port } } };
    const connection = await open({ cluster: { nodes: nodes().slice(1), options } });
    mortal.goSilent();
    const lost = [1, 2, 3].map(() => connection.send('incr', [slow]).catch((error: unknown) => error));
    await clock.advance('7s');
    for (const outcome of lost) expect(await outcome).toMatchObject({ code: 'ASYNQ_BROKER_UNAVAILABLE' });
    await until('the node is asked again', () => connection.send('incr', [slow]).then(() => true));
    await mortal.stop();
  });

  it('are given up one command at a time with a borrowed client', async () => {
    const lent = new Cluster([...nodes()], { natMap, redisOptions: { protocol: 2 } });
    lent.on('error', () => {});
    const connection = await open(lent);
    first().hold('down');
    const lost = connection.send('incr', [slow]).catch((error: unknown) => error);
    await clock.advance('6s');
    expect(await lost).toMatchObject({ message: expect.stringContaining('has not answered for 5000 ms') as string });
    expect(String(await connection.send('set', [other, 'x']))).toBe('OK');
    first().release('down');
    expect(await lent.get(slow)).toBe('1');
    lent.disconnect();
  });
});
