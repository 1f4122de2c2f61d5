import { Redis } from 'ioredis';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import { aConnection, aWait, closeConnections, recordAvailability } from '../support/connections.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

const listener = { channels: ['asynq:cancel'], onMessage: () => {}, onReconnect: () => {} };

describe.each([2, 3] as const)('a RedisConnection with a borrowed client, protocol %i', (protocol) => {
  let server: RunningRedisServer;
  let client: Redis;
  let lent: Redis;

  beforeEach(async () => {
    server = await startRedis({ appendonly: true });
    client = rawClient(server.url);
    client.on('error', () => {});
    lent = new Redis({ port: server.port, protocol, connectionName: 'lent', retryStrategy: () => 50 });
    lent.on('error', () => {});
  });

  afterEach(async () => {
    await closeConnections();
    lent.disconnect();
    client.disconnect();
    await server.stop();
  });

  async function names(): Promise<string[]> {
    const list = (await client.client('LIST')) as string;
    return [...list.matchAll(/ name=(lent\S*)/g)].map(([, name]) => name as string).sort();
  }

  it('C-81 sends commands through it, and closes only the copies that it made', async () => {
    const connection = aConnection(lent);
    await connection.open();
    expect(await connection.send('echo', [Buffer.from([0xff])])).toEqual(Buffer.from([0xff]));
    await connection.send('hset', ['hash', 'a', 'b']);
    expect(await connection.send('hgetall', ['hash'])).toEqual([Buffer.from('a'), Buffer.from('b')]);
    await connection.subscribe(listener);
    await client.lpush('list', 'element');
    expect(String(await connection.sendBlocking(aWait('list')))).toBe('element');
    expect(await names()).toEqual(['lent', 'lent:signals', 'lent:waiting']);
    await connection.close();
    await until('the copies are closed', async () => (await names()).length === 1);
    expect(await lent.ping()).toBe('PONG');
    expect(['ready', 'close', 'end'].map((event) => lent.listenerCount(event))).toEqual([0, 0, 0]);
  });

  it('connects a client that was created to connect lazily', async () => {
    const lazy = lent.duplicate({ lazyConnect: true });
    const connection = aConnection(lazy);
    await connection.open();
    expect(lazy.status).toBe('ready');
    await connection.close();
    lazy.disconnect();
  });

  it('waits for the reply to commands that its owner sends again when the server is back', async () => {
    const connection = aConnection(lent);
    const heard = recordAvailability(connection);
    await connection.send('set', ['count', 0]);
    server.pause();
    const underWay = connection.send('incr', ['count']);
    await server.kill();
    await until('the loss is noticed', () => !connection.isAvailable());
    await server.start();
    expect(await underWay).toBe(1);
    await until('it is back', () => connection.isAvailable());
    expect(heard.map(({ kind }) => kind)).toEqual(['up', 'down', 'up']);
  });

  it('queues nothing in the client while the server is away', async () => {
    const connection = aConnection(lent, { commandTimeout: 300 });
    await connection.open();
    await server.kill();
    await until('the loss is noticed', () => !connection.isAvailable());
    await expect(connection.send('incr', ['count'])).rejects.toThrow(BrokerUnavailableError);
    await server.start();
    await until('it is back', () => connection.isAvailable());
    expect(await client.exists('count')).toBe(0);
  });

  it('gives up on a server that hangs, but not on the client', async () => {
    const connection = aConnection(lent, { commandTimeout: 300 });
    await connection.open();
    server.pause();
    await expect(connection.send('ping', [])).rejects.toThrow(/has not answered for 300 ms/);
    server.resume();
    await until('it is back', () => connection.send('ping', []).then(() => true));
    expect(await lent.ping()).toBe('PONG');
  });

  it('says so when its owner has closed it', async () => {
    lent.disconnect();
    await until('it is closed', () => lent.status === 'end');
    const connection = aConnection(lent, { commandTimeout: 200 });
    await expect(connection.send('ping', [])).rejects.toThrow(/the given client is closed/);
  });
});
