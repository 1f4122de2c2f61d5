import type { Redis } from 'ioredis';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { BrokerCommandError, BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import { ms } from '../../lib/model/time/duration.js';
import { aConnection, aWait, closeConnections, ourConnections } from '../support/connections.js';
import { watchLeaks } from '../support/leak-check.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('a RedisConnection that waits', () => {
  let server: RunningRedisServer;
  let client: Redis;

  beforeEach(async () => {
    server = await startRedis();
    client = rawClient(server.url);
    client.on('error', () => {});
  });

  afterEach(async () => {
    await closeConnections();
    client.disconnect();
    await server.stop();
  });

  /** Resolves when so many connections of the server are blocked. */
  async function blocked(count: number): Promise<void> {
    await until(`${count} are waiting`, async () =>
      (await client.info('clients')).includes(`blocked_clients:${count}\r`),
    );
  }

  it('is woken by an element, on the same connection every time', async () => {
    const connection = aConnection(server.url);
    for (let round = 0; round < 5; round++) {
      const waiting = connection.sendBlocking(aWait('list'));
      await blocked(1);
      await client.lpush('list', `element ${round}`);
      expect(String(await waiting)).toBe(`element ${round}`);
      await client.del('list');
    }
    expect(await ourConnections(client)).toEqual(['nestjs-asynq:commands', 'nestjs-asynq:waiting']);
    expect(await connectionsEver()).toBe(3);
  });

  it('resolves without an element when none came in time', async () => {
    const connection = aConnection(server.url);
    expect(
      await connection.sendBlocking({ ...aWait('list'), args: ['list', 'list', 'RIGHT', 'RIGHT', 0.05] }),
    ).toBeNull();
  });

  it('lends four connections, each to one name as long as it keeps waiting', async () => {
    const clock = new VirtualClock();
    const connection = aConnection(server.url, { clock });
    const end = new AbortController();
    const { signal } = end;
    const names = ['a', 'b', 'c', 'd'];
    const waits = names.map((name) => connection.sendBlocking(aWait(name, { signal })));
    await blocked(4);
    expect(await connection.sendBlocking(aWait('e'))).toBe('busy');
    await client.lpush('a', 'element');
    expect(String(await waits[0])).toBe('element');
    // Between two waits of its own the connection is not given away...
    expect(await connection.sendBlocking(aWait('e'))).toBe('busy');
    expect(String(await connection.sendBlocking(aWait('a')))).toBe('element');
    // ...but once it has not been asked for a while.
    await clock.advance('1s');
    await client.lpush('e', 'other');
    expect(String(await connection.sendBlocking(aWait('e')))).toBe('other');
    expect(await connection.sendBlocking(aWait('a'))).toBe('busy');
    end.abort();
    expect(await Promise.all(waits.slice(1))).toEqual(['aborted', 'aborted', 'aborted']);
    expect(await connectionsEver()).toBe(6);
  });

  it('waits on as many connections as configured', async () => {
    const connection = aConnection(server.url, { blockingConnections: 1 });
    const end = new AbortController();
    const waiting = connection.sendBlocking(aWait('a', { signal: end.signal }));
    expect(await connection.sendBlocking(aWait('b'))).toBe('busy');
    end.abort();
    expect(await waiting).toBe('aborted');
  });

  it('runs waits of the same name one after the other', async () => {
    const connection = aConnection(server.url);
    const waits = ['x', 'y', 'z'].map((key) => connection.sendBlocking(aWait(key, { connectionKey: 'one' })));
    await blocked(1);
    for (const key of ['z', 'y', 'x']) await client.lpush(key, key);
    expect((await Promise.all(waits)).map(String)).toEqual(['x', 'y', 'z']);
  });

  it('ends an aborted wait at once and keeps the connection in order', async () => {
    const leaks = watchLeaks();
    const connection = aConnection(server.url);
    for (let round = 0; round < 20; round++) {
      const end = new AbortController();
      const waiting = connection.sendBlocking(aWait('list', { signal: end.signal }));
      if (round % 2 === 0) await blocked(1);
      end.abort();
      expect(await waiting).toBe('aborted');
    }
    const waiting = connection.sendBlocking(aWait('list'));
    await blocked(1);
    await client.lpush('list', 'element');
    expect(String(await waiting)).toBe('element');
    expect(await ourConnections(client)).toEqual(['nestjs-asynq:commands', 'nestjs-asynq:waiting']);
    await connection.close();
    await leaks.expectNone();
  });

  it('ends an aborted wait by closing the connection when the server does not let it unblock', async () => {
    await client.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', '-client|unblock');
    const connection = aConnection({ port: server.port, username: 'app', password: 'secret' });
    const end = new AbortController();
    const waiting = connection.sendBlocking(aWait('list', { signal: end.signal }));
    await blocked(1);
    end.abort();
    expect(await waiting).toBe('aborted');
    await blocked(0);
    await client.lpush('list', 'element');
    expect(String(await connection.sendBlocking(aWait('list')))).toBe('element');
  });

  it('does not begin a wait that was aborted before', async () => {
    const connection = aConnection(server.url);
    expect(await connection.sendBlocking(aWait('list', { signal: AbortSignal.abort() }))).toBe('aborted');
    expect(await ourConnections(client)).toEqual([]);
  });

  it('ends a wait when the server goes, and waits again when it is back', async () => {
    const connection = aConnection(server.url);
    const waiting = connection.sendBlocking(aWait('list')).catch((error: unknown) => error);
    await blocked(1);
    await server.kill();
    expect(await waiting).toBeInstanceOf(BrokerUnavailableError);
    const again = connection.sendBlocking(aWait('list'));
    await server.start();
    await until('an element is added', () => client.lpush('list', 'element'));
    expect(String(await again)).toBe('element');
  });

  it('gives up a wait that the server should have ended long ago', async () => {
    const clock = new VirtualClock();
    const connection = aConnection(server.url, { clock, commandTimeout: '5s' });
    const waiting = connection.sendBlocking({ ...aWait('list'), timeout: ms(30_000) }).catch((error: unknown) => error);
    await blocked(1);
    await clock.advance('34s');
    expect(await ourConnections(client)).toEqual(['nestjs-asynq:commands', 'nestjs-asynq:waiting']);
    await clock.advance('1s');
    expect(await waiting).toBeInstanceOf(BrokerUnavailableError);
    await until('its connection is closed', async () => (await ourConnections(client)).length === 1);
  });

  it("rejects with the server's reply, and keeps the connection", async () => {
    const connection = aConnection(server.url);
    await client.set('text', 'no list');
    await expect(connection.sendBlocking(aWait('text', { connectionKey: 'one' }))).rejects.toThrow(BrokerCommandError);
    await client.lpush('list', 'element');
    expect(String(await connection.sendBlocking(aWait('list', { connectionKey: 'one' })))).toBe('element');
    expect(await connectionsEver()).toBe(3);
  });

  it('gives up after the command limit when the server is away', async () => {
    await server.kill();
    const connection = aConnection(server.url, { commandTimeout: 200 });
    await expect(connection.sendBlocking(aWait('list'))).rejects.toThrow(BrokerUnavailableError);
  });

  /** How many connections the server has had, this test's own included. */
  async function connectionsEver(): Promise<number> {
    const [, count] = /total_connections_received:(\d+)/.exec(await client.info('stats')) ?? [];
    // One was opened to see whether the server is up.
    return Number(count) - 1;
  }
});
