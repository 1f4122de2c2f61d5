import type { Redis } from 'ioredis';
import { BrokerCommandError, BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import { InvalidStateError } from '../../lib/model/errors/state-errors.js';
import type { RedisReply } from '../../lib/redis/connection/redis-connection.js';
import { aConnection, aWait, closeConnections, ourConnections } from '../support/connections.js';
import { watchLeaks } from '../support/leak-check.js';
import { rawClient, sharedRedisUrl, startRedis } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { until } from '../support/until.js';

describe('RedisConnection', () => {
  let client: Redis;

  beforeAll(() => {
    client = rawClient();
  });

  afterEach(closeConnections);

  afterAll(() => client.disconnect());

  it('returns every reply in bytes, numbers and nulls, whatever the command', async () => {
    const key = `asynq:{${uniqueQueue('bytes')}}:x`;
    const connection = aConnection(sharedRedisUrl());
    const odd = Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0x80]);
    const replies: RedisReply[] = [
      await connection.send('echo', [odd]),
      await connection.send('eval', ['return {1, false, ARGV[1], {"nested"}}', 0, odd]),
      await connection.send('hset', [key, 'field', odd]),
      await connection.send('hgetall', [key]),
      await connection.send('hget', [key, 'no such field']),
      await connection.send('del', [key]),
    ];
    expect(replies).toEqual([odd, [1, null, odd, [Buffer.from('nested')]], 1, [Buffer.from('field'), odd], null, 1]);
  });

  it('answers commands in the order of their callers, however many are sent at once', async () => {
    const connection = aConnection(sharedRedisUrl());
    const large = 'x'.repeat(20_000);
    const texts = Array.from({ length: 3_000 }, (_, index) => `${index} ${index % 50 === 0 ? large : ''}`);
    const replies = await Promise.all(texts.map((text) => connection.send('echo', [text])));
    expect(replies.map(String)).toEqual(texts);
  });

  it('sends a message of some megabytes', async () => {
    const connection = aConnection(sharedRedisUrl());
    const message = Buffer.alloc(8 * 1024 * 1024, 'm');
    const reply = (await connection.send('echo', [message])) as Buffer;
    expect(reply.equals(message)).toBe(true);
  });

  it("rejects with the server's reply as the cause", async () => {
    const connection = aConnection(sharedRedisUrl());
    const failure = await connection
      .send('eval', ["return redis.error_reply('ODD thing')", 0])
      .catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(BrokerCommandError);
    expect(failure).toMatchObject({ message: 'ODD thing', cause: { name: 'ReplyError', message: 'ODD thing' } });
  });

  it('counts a server that is busy with a script as unavailable', async () => {
    const server = await startRedis({ args: ['--busy-reply-threshold', '50'] });
    const other = rawClient(server.url);
    const connection = aConnection(server.url);
    await connection.open();
    const endless = other.eval('while true do end', 0).catch((error: Error) => error.message);
    const failure = await until('the server refuses commands', () =>
      connection.send('exists', ['x']).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(failure).toBeInstanceOf(BrokerUnavailableError);
    expect(failure).toMatchObject({ cause: { message: expect.stringMatching(/^BUSY /) as string } });
    await connection.send('script', ['KILL']);
    expect(await endless).toMatch(/killed/);
    other.disconnect();
    await server.stop();
  });

  it('sends to the one server when asked for each', async () => {
    const connection = aConnection(sharedRedisUrl());
    expect(await connection.sendToEach('echo', ['a'])).toEqual([Buffer.from('a')]);
    expect(await connection.sendToNode(0, 'echo', ['a'])).toEqual(Buffer.from('a'));
    expect(await connection.sendToNode(1, 'echo', ['a'])).toBeUndefined();
  });

  it('C-82 is created without a server, and connects on first use', async () => {
    const server = await startRedis();
    await server.kill();
    const connection = aConnection(server.url);
    expect(connection.isAvailable()).toBe(false);
    await server.start();
    const other = rawClient(server.url);
    expect(await ourConnections(other)).toEqual([]);
    await connection.send('ping', []);
    expect(await ourConnections(other)).toEqual(['nestjs-asynq:commands']);
    expect(connection.isAvailable()).toBe(true);
    other.disconnect();
    await server.stop();
  });

  it('opens one connection for commands, one for signals and four to wait on, and closes them all', async () => {
    const leaks = watchLeaks();
    const server = await startRedis();
    const other = rawClient(server.url);
    const connection = aConnection(server.url);
    await Promise.all(Array.from({ length: 100 }, () => connection.open()));
    const listener = { channels: ['a'], onMessage: () => {}, onReconnect: () => {} };
    await Promise.all([connection.subscribe(listener), connection.subscribe({ ...listener, channels: ['b'] })]);
    const waits = Array.from({ length: 10 }, (_, index) => connection.sendBlocking(aWait(`list ${index}`)));
    const outcomes = Promise.allSettled(waits);
    const all = ['commands', 'signals', 'waiting', 'waiting', 'waiting', 'waiting'];
    await until('all are open', async () => (await ourConnections(other)).length === all.length);
    expect(await ourConnections(other)).toEqual(all.map((name) => `nestjs-asynq:${name}`));

    await connection.close();
    expect((await outcomes).filter(({ status }) => status === 'rejected')).toHaveLength(4);
    await until('none is open', async () => (await ourConnections(other)).length === 0);
    other.disconnect();
    await server.stop();
    await leaks.expectNone();
  });

  it('refuses everything once it is closed', async () => {
    const connection = aConnection(sharedRedisUrl());
    await connection.open();
    const heard: string[] = [];
    connection.onAvailability(({ kind }) => heard.push(kind));
    await connection.close();
    await connection.close();
    const listener = { channels: ['a'], onMessage: () => {}, onReconnect: () => {} };
    await expect(connection.send('ping', [])).rejects.toThrow(InvalidStateError);
    await expect(connection.subscribe(listener)).rejects.toThrow(InvalidStateError);
    await expect(connection.sendBlocking(aWait('k'))).rejects.toThrow(InvalidStateError);
    expect(connection.isAvailable()).toBe(false);
    expect(heard).toEqual([]);
  });

  it('rejects commands in progress or waiting when it is closed, and leaves nothing behind', async () => {
    const leaks = watchLeaks();
    const server = await startRedis();
    const connection = aConnection(server.url);
    await connection.open();
    server.pause();
    const underWay = connection.send('ping', []).catch((e: unknown) => e);
    await connection.close();
    expect(await underWay).toBeInstanceOf(BrokerUnavailableError);
    server.resume();
    await server.kill();

    const absent = aConnection(server.url);
    const waiting = absent.send('ping', []).catch((e: unknown) => e);
    await absent.close();
    expect(await waiting).toBeInstanceOf(InvalidStateError);
    await server.stop();
    await leaks.expectNone();
  });
});
