import type { Redis } from 'ioredis';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import type { ChannelListener, RedisConnection } from '../../lib/redis/connection/redis-connection.js';
import { aConnection, closeConnections, ourConnections } from '../support/connections.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A listener that writes down what it hears. */
function aListener(...channels: string[]): ChannelListener & { readonly heard: string[]; reconnects: number } {
  const heard: string[] = [];
  const listener = {
    channels,
    heard,
    reconnects: 0,
    onMessage: (channel: string, message: string) => void heard.push(`${channel}: ${message}`),
    onReconnect: () => void (listener.reconnects += 1),
  };
  return listener;
}

describe('a RedisConnection that listens', () => {
  let server: RunningRedisServer;
  let client: Redis;
  let connection: RedisConnection;

  beforeEach(async () => {
    server = await startRedis();
    client = rawClient(server.url);
    client.on('error', () => {});
    connection = aConnection(server.url, { commandTimeout: 1_000 });
  });

  afterEach(async () => {
    await closeConnections();
    client.disconnect();
    await server.stop();
  });

  it('receives what is published after subscribe has resolved', async () => {
    const listener = aListener('a', 'b');
    await connection.subscribe(listener);
    await client.publish('a', '1');
    await client.publish('c', '2');
    await client.publish('b', '語 🦫');
    await until('both are heard', () => listener.heard.length >= 2);
    expect(listener.heard).toEqual(['a: 1', 'b: 語 🦫']);
  });

  it('gives each listener its own channels over one connection', async () => {
    const first = aListener('a', 'b');
    const second = aListener('b', 'c');
    await Promise.all([connection.subscribe(first), connection.subscribe(second)]);
    for (const channel of ['a', 'b', 'c']) await client.publish(channel, 'x');
    await until('all are heard', () => first.heard.length === 2 && second.heard.length === 2);
    expect([first.heard, second.heard]).toEqual([
      ['a: x', 'b: x'],
      ['b: x', 'c: x'],
    ]);
    expect(await ourConnections(client)).toEqual(['nestjs-asynq:commands', 'nestjs-asynq:signals']);
  });

  it('stops calling a removed listener, and closes the connection after the last one', async () => {
    const first = aListener('a');
    const second = aListener('a');
    const stopFirst = await connection.subscribe(first);
    const stopSecond = await connection.subscribe(second);
    await stopFirst();
    await client.publish('a', 'x');
    await until('the other hears it', () => second.heard.length === 1);
    expect(first.heard).toEqual([]);
    await stopSecond();
    await stopSecond();
    await until('it is closed', async () => (await ourConnections(client)).length === 1);

    const third = aListener('a');
    await connection.subscribe(third);
    await client.publish('a', 'y');
    await until('it is heard', () => third.heard.length === 1);
  });

  it('subscribes again after a restart of the server, and reports that once', async () => {
    const listener = aListener('a', 'b');
    await connection.subscribe(listener);
    await server.restart();
    await until('it is back', () => listener.reconnects === 1);
    await client.publish('b', 'again');
    await until('it is heard', () => listener.heard.length === 1);
    expect(listener).toMatchObject({ heard: ['b: again'], reconnects: 1 });
  });

  it('subscribes again when only its own connection was lost', async () => {
    const listener = aListener('a');
    await connection.subscribe(listener);
    const [, id] = /id=(\d+) [^\n]*name=nestjs-asynq:signals/.exec((await client.client('LIST')) as string) ?? [];
    await client.client('KILL', 'ID', id as string);
    await until('it is back', () => listener.reconnects === 1);
    await client.publish('a', 'again');
    await until('it is heard', () => listener.heard.length === 1);
  });

  it('gives up on a connection that does not answer once commands have also lost the server', async () => {
    const listener = aListener('a');
    await connection.subscribe(listener);
    const [, id] = /id=(\d+) [^\n]*name=nestjs-asynq:commands/.exec((await client.client('LIST')) as string) ?? [];
    // Nothing is wrong with the connection for signals: it answers, and is kept.
    await client.client('KILL', 'ID', id as string);
    await until('commands are back', () => connection.send('ping', []));
    await client.publish('a', 'still here');
    await until('it is heard', () => listener.heard.length === 1);
    expect(listener.reconnects).toBe(0);
    // Now it hangs.
    server.pause();
    await expect(connection.send('ping', [])).rejects.toThrow(BrokerUnavailableError);
    server.resume();
    await until('commands are back', () => connection.send('ping', []));
    await client.publish('a', 'once more');
    await until('it is heard', () => listener.heard.includes('a: once more'));
  });

  it('sends a ping now and then, however quiet the channels are', async () => {
    const clock = new VirtualClock({ now: new Date() });
    const quiet = aConnection(server.url, { clock });
    await quiet.subscribe(aListener('a'));
    const lastCommand = async (): Promise<string | undefined> =>
      /name=nestjs-asynq:signals [^\n]*cmd=(\S+)/.exec((await client.client('LIST')) as string)?.[1];
    expect(await lastCommand()).toBe('subscribe');
    await clock.advance('30s');
    await until('it has asked', async () => (await lastCommand()) === 'ping');
  });

  it('fails to subscribe after the command limit when the server is away', async () => {
    await server.kill();
    await expect(connection.subscribe(aListener('a'))).rejects.toThrow(BrokerUnavailableError);
  });
});
