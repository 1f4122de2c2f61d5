import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import { silentLogger } from '../../lib/engine/logger.js';
import { openBroker } from '../../lib/engine/open-broker.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { AsynqError } from '../../lib/model/errors/asynq-error.js';
import type { RedisOption } from '../../lib/redis/connection/redis-option.js';
import { freePort, type RunningRedisServer } from '../../scripts/redis-server.mjs';
import { selfSignedCertificate } from '../support/certificate.js';
import { aConnection, closeConnections } from '../support/connections.js';
import { startRedis } from '../support/redis-server.js';
import { startStub, type StubServer } from '../support/stub-server.js';

function aCluster(...nodes: readonly string[]): RedisOption {
  return { cluster: { nodes } };
}

describe('the reason why Redis cannot be reached', () => {
  let server: RunningRedisServer;
  let tlsPort: number;
  let web: StubServer;
  let free: number;

  beforeAll(async () => {
    [tlsPort, free] = [await freePort(), await freePort()];
    server = await startRedis({
      password: 'secret',
      tls: { port: tlsPort, certificate: selfSignedCertificate('localhost') },
    });
    web = await startStub((socket) => void socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  });

  afterAll(async () => {
    await web.stop();
    await server.stop();
  });

  it.each<[string, () => RedisOption, RegExp]>([
    [
      'a host that does not exist',
      () => 'redis://nowhere.invalid',
      /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) nowhere\.invalid/,
    ],
    ['nobody who listens', () => `redis://127.0.0.1:${free}`, /connect ECONNREFUSED/],
    ['a certificate that nobody signed', () => `rediss://:secret@localhost:${tlsPort}`, /self-signed certificate/],
    ['a wrong password', () => `redis://:wrong@127.0.0.1:${server.port}`, /refuses the connection: WRONGPASS/],
    ['a missing password', () => `redis://127.0.0.1:${server.port}`, /refuses the connection: NOAUTH/],
    ['TLS to a port without it', () => `rediss://:secret@localhost:${server.port}`, /TLS/],
    ['a TLS port without TLS', () => `redis://localhost:${tlsPort}`, /TLS/],
    ['something that is not a Redis', () => `redis://127.0.0.1:${web.port}`, /does not speak Redis' protocol/],
    ['a cluster at a host that does not exist', () => aCluster('redis://nowhere.invalid'), /getaddrinfo/],
    ['a cluster that nobody has started', () => aCluster(`redis://127.0.0.1:${free}`), /connect ECONNREFUSED/],
    [
      'a cluster with a certificate that nobody signed',
      () => aCluster(`rediss://:secret@localhost:${tlsPort}`),
      /self-signed certificate/,
    ],
    ['a cluster with TLS to a port without it', () => aCluster(`rediss://:secret@localhost:${server.port}`), /TLS/],
    ['a cluster with a TLS port without TLS', () => aCluster(`redis://localhost:${tlsPort}`), /TLS/],
    [
      'a cluster that is not a Redis',
      () => aCluster(`redis://127.0.0.1:${web.port}`),
      /does not speak Redis' protocol/,
    ],
    [
      'a cluster that is one server',
      () => aCluster(`redis://:secret@127.0.0.1:${server.port}`),
      /is not a cluster; set redis to the URL of the server itself/,
    ],
  ])('is told to whoever enqueues: %s', async (_name, redis, reason) => {
    const deps = { clock: systemClock, logger: silentLogger, commandTimeout: 400 };
    const broker = openBroker(redis(), deps);
    const client = new AsynqClient({ broker, enqueueTimeout: '1500ms' });
    const failure = await client.enqueue('email:send').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AsynqError);
    expect((failure as Error).message).toMatch(reason);
    expect((failure as Error).message).not.toMatch(/secret|wrong:/);
    expect((failure as Error).cause).toBeInstanceOf(Error);
    await client.close();
    await broker.close();
  });

  it('is guessed while the first attempt still waits', async () => {
    const connection = aConnection(`rediss://localhost:${server.port}`, { connectTimeout: '100ms' });
    const failure = await connection.open().catch((error: unknown) => error);
    expect((failure as Error).message).toContain('there is no answer (the port may be one without TLS)');
    expect((failure as Error).cause).toBeInstanceOf(Error);
    await closeConnections();
  });
});
