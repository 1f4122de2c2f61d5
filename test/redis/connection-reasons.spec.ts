import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import { silentLogger } from '../../lib/engine/logger.js';
import { openBroker } from '../../lib/engine/open-broker.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { AsynqError } from '../../lib/model/errors/asynq-error.js';
import type { RedisOption } from '../../lib/redis/connection/redis-option.js';
import { freePort, type RunningRedisServer } from '../../scripts/redis-server.mjs';
import { selfSignedCertificate } from '../support/certificate.js';
import { startRedis } from '../support/redis-server.js';
import { startStub, type StubServer } from '../support/stub-server.js';

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
});
