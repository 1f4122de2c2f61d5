import { Redis } from 'ioredis';
import { freePort, type RunningRedisServer } from '../../scripts/redis-server.mjs';
import type { RedisConnection } from '../../lib/redis/connection/redis-connection.js';
import { selfSignedCertificate } from '../support/certificate.js';
import { aConnection, closeConnections, recordAvailability } from '../support/connections.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { type SlowProxy, startSlowProxy, type Way } from '../support/slow-proxy.js';
import { VirtualClock } from '../support/virtual-clock.js';

const piece = 4_000_000;
const pieces = 10;
const big = Buffer.alloc(piece * pieces, 'x');
const silence = /has not answered for 5000 ms/;

const kinds = [
  { kind: 'a socket of our own', lent: false, tls: false },
  { kind: 'a socket of our own with TLS', lent: false, tls: true },
  { kind: 'a client that is lent', lent: true, tls: false },
  { kind: 'a client that is lent with TLS', lent: true, tls: true },
] as const;

describe.each(kinds)('a slow link over $kind', ({ lent, tls }) => {
  const certificate = selfSignedCertificate('localhost');
  let server: RunningRedisServer;
  let direct: Redis;
  let proxy: SlowProxy;
  let clock: VirtualClock;
  let connection: RedisConnection;
  let client: Redis | undefined;
  let heard: readonly { readonly kind: string }[];

  beforeAll(async () => {
    const tlsPort = await freePort();
    server = await startRedis({ tls: { port: tlsPort, certificate } });
    direct = rawClient(server.url);
    proxy = await startSlowProxy(tls ? tlsPort : server.port);
  });

  beforeEach(async () => {
    await direct.flushall();
    clock = new VirtualClock();
    const option = { host: '127.0.0.1', port: proxy.port, ...(tls ? { tls: { ca: certificate.cert } } : {}) };
    client = lent ? new Redis({ ...option, protocol: 2, retryStrategy: null }) : undefined;
    client?.on('error', () => {});
    connection = aConnection(client ?? option, { clock });
    heard = recordAvailability(connection);
    await connection.open();
  });

  afterEach(async () => {
    proxy.release('up');
    proxy.release('down');
    await closeConnections();
    client?.disconnect();
  });

  afterAll(async () => {
    direct.disconnect();
    await proxy.stop();
    await server.stop();
  });

  /** All of the big value but its end goes through, a piece every 2 s. */
  async function creep(way: Way): Promise<void> {
    for (let sent = 0; sent < pieces - 1; sent++) {
      await proxy.pass(way, piece);
      await clock.advance('2s');
    }
  }

  it('waits for a payload that takes long to send, as do later commands', async () => {
    proxy.hold('up');
    const sent = Promise.all([connection.send('set', ['big', big]), connection.send('incr', ['count'])]);
    await creep('up');
    const late = connection.send('incr', ['count']);
    proxy.release('up');
    expect([...(await sent), await late].map(String)).toEqual(['OK', '1', '2']);
    expect(heard).toEqual([{ kind: 'up' }]);
  });

  it('gives up on a link that accepts nothing more', async () => {
    const lost: Promise<unknown>[] = [];
    const send = (...[command, args]: Parameters<RedisConnection['send']>): void =>
      void lost.push(connection.send(command, args).catch((error: unknown) => error));
    proxy.hold('up');
    send('set', ['big', big]);
    await clock.advance('4s');
    await proxy.pass('up', piece);
    // More to be sent is no sign of life.
    for (let second = 0; second < 6; second++) {
      send('incr', ['count']);
      await clock.advance('1s');
    }
    for (const outcome of await Promise.all(lost)) {
      expect(outcome).toMatchObject({ message: expect.stringMatching(silence) as string });
    }
  });

  it('waits for a reply that takes long to arrive', async () => {
    await direct.set('big', big);
    proxy.hold('down');
    const answer = Promise.all([connection.send('get', ['big']), connection.send('ping', [])]);
    await creep('down');
    proxy.release('down');
    const [value, pong] = await answer;
    expect(Buffer.compare(value as Buffer, big)).toBe(0);
    expect(String(pong)).toBe('PONG');
    expect(heard).toEqual([{ kind: 'up' }]);
  });

  it('gives up on a reply that stops in the middle', async () => {
    await direct.set('big', big);
    proxy.hold('down');
    const answer = expect(connection.send('get', ['big'])).rejects.toThrow(silence);
    await proxy.pass('down', piece);
    await clock.advance('4s');
    await clock.advance('6s');
    await answer;
  });
});
