import { BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import { aConnection, closeConnections, recordAvailability } from '../support/connections.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { eventLoopTurns, VirtualClock } from '../support/virtual-clock.js';
import { until } from '../support/until.js';

/** The outcome of a promise, and how long it took in milliseconds. */
async function timed(promise: Promise<unknown>): Promise<{ readonly outcome: unknown; readonly took: number }> {
  const start = performance.now();
  const outcome = await promise.catch((error: unknown) => error);
  return { outcome, took: performance.now() - start };
}

describe('a RedisConnection that loses its server', () => {
  afterEach(closeConnections);

  it('rejects commands in progress at once, and sends none of them again', async () => {
    const server = await startRedis({ appendonly: true });
    const connection = aConnection(server.url);
    await connection.send('set', ['count', 0]);
    server.pause();
    const underWay = Array.from({ length: 50 }, () => connection.send('incr', ['count']).catch((e: unknown) => e));
    await eventLoopTurns(3);
    await server.kill();
    const outcomes = await Promise.all(underWay);
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(BrokerUnavailableError);

    await server.start();
    // A server that was stopped in its tracks has carried out nothing of what was sent; neither has its successor.
    expect(Number(await connection.send('get', ['count']))).toBe(0);
    await server.stop();
  });

  it('sends new commands as soon as the server is back', async () => {
    const server = await startRedis({ appendonly: true });
    const connection = aConnection(server.url);
    const heard = recordAvailability(connection);
    await connection.open();
    await server.kill();
    await until('the loss is noticed', () => !connection.isAvailable());
    const waiting = Array.from({ length: 20 }, () => connection.send('incr', ['count']));
    await server.start();
    expect((await Promise.all(waiting)).map(Number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(heard.map(({ kind }) => kind)).toEqual(['up', 'down', 'up']);
    expect(heard[1]).toMatchObject({
      error: { message: expect.stringContaining(`127.0.0.1:${server.port}`) as string },
    });
    await server.stop();
  });

  it('loses nothing that it confirmed while the server is killed and restarted again and again', async () => {
    const server = await startRedis({ appendonly: true });
    const connection = aConnection(server.url);
    await connection.open();
    const confirmed: string[] = [];
    let failed = 0;
    const end = new AbortController();
    const send = async (sender: number): Promise<void> => {
      for (let number = 0; !end.signal.aborted; number++) {
        const id = `${sender}:${number}`;
        await connection.send('sadd', ['ids', id]).then(
          () => confirmed.push(id),
          () => failed++,
        );
      }
    };
    const senders = Promise.all([1, 2, 3, 4].map(send));
    for (let round = 0; round < 3; round++) {
      const enough = confirmed.length + 200;
      await until('it sends again', () => confirmed.length > enough);
      await server.restart();
    }
    end.abort();
    await senders;
    const stored = new Set(((await connection.send('smembers', ['ids'])) as Buffer[]).map(String));
    expect(confirmed.filter((id) => !stored.has(id))).toEqual([]);
    // At most one command of each sender was under way at each of the three kills.
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThanOrEqual(12);
    await server.stop();
  });

  it('warns about a server that evicts keys, once, and again when another takes its place', async () => {
    const server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    const warnings: string[] = [];
    const connection = aConnection(server.url, { warn: (message) => void warnings.push(message) });
    await connection.open();
    const warning = `Redis at 127.0.0.1:${server.port} has maxmemory-policy allkeys-lru: it deletes tasks when its memory is full. Set it to noeviction`;
    expect(warnings).toEqual([warning]);
    const other = rawClient(server.url);
    await other.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until('it is back', () => connection.send('ping', []).catch(() => undefined));
    expect(warnings).toEqual([warning]);
    other.disconnect();
    await server.restart();
    await until('it is back', () => connection.send('ping', []).catch(() => undefined));
    expect(warnings).toEqual([warning, warning]);
    await server.stop();
  });

  it('costs almost nothing while the server is away, and is back within two seconds of its return', async () => {
    const server = await startRedis();
    const connection = aConnection(server.url, { commandTimeout: 2_500 });
    await connection.open();
    await server.kill();
    const cpuBefore = process.cpuUsage();
    // Long enough for the pauses between attempts to have grown to their longest.
    await expect(connection.send('ping', [])).rejects.toThrow(BrokerUnavailableError);
    const { user, system } = process.cpuUsage(cpuBefore);
    expect(user + system).toBeLessThan(250_000);
    await server.start();
    const { took } = await timed(until('it is back', () => connection.isAvailable()));
    expect(took).toBeLessThan(2_000);
    await server.stop();
  });

  it('waits for an absent server for the command limit, then says what is wrong', async () => {
    const server = await startRedis();
    await server.kill();
    const connection = aConnection(server.url, { commandTimeout: 300 });
    const heard = recordAvailability(connection);
    const { outcome, took } = await timed(connection.send('ping', []));
    expect(outcome).toBeInstanceOf(BrokerUnavailableError);
    expect((outcome as Error).message).toBe(
      `Redis at 127.0.0.1:${server.port} could not be reached within 300 ms: connect ECONNREFUSED 127.0.0.1:${server.port}`,
    );
    expect(took).toBeGreaterThanOrEqual(299);
    expect(heard.map(({ kind }) => kind)).toEqual(['down']);
    await server.stop();
  });

  it('fails to open an absent server after the connect limit, and opens it when it is there', async () => {
    const server = await startRedis({ password: 'secret' });
    await server.kill();
    const url = `redis://:secret@127.0.0.1:${server.port}`;
    const connection = aConnection(url, { connectTimeout: 200 });
    const { outcome, took } = await timed(Promise.all([connection.open(), connection.open()]));
    expect(outcome).toBeInstanceOf(BrokerUnavailableError);
    expect((outcome as Error).message).toContain(
      `Redis at 127.0.0.1:${server.port} could not be reached within 200 ms`,
    );
    expect((outcome as Error).message).not.toContain('secret');
    expect(took).toBeGreaterThanOrEqual(199);
    await server.start();
    await until('it can be opened', () => connection.open().then(() => true));
    await server.stop();
  });

  it('gives up on a server that hangs, and gets the right replies from it afterwards', async () => {
    const server = await startRedis();
    const connection = aConnection(server.url, { commandTimeout: 500 });
    const heard = recordAvailability(connection);
    await connection.open();
    server.pause();
    const { outcome, took } = await timed(connection.send('echo', ['lost']));
    expect(outcome).toBeInstanceOf(BrokerUnavailableError);
    expect(took).toBeGreaterThanOrEqual(499);
    expect(connection.isAvailable()).toBe(false);
    await until('the loss is told', () => heard.length === 2);
    await expect(connection.send('echo', ['too early'])).rejects.toThrow(BrokerUnavailableError);
    server.resume();
    const texts = ['a', 'b', 'c', 'd'];
    expect((await Promise.all(texts.map((text) => connection.send('echo', [text])))).map(String)).toEqual(texts);
    await server.stop();
  });

  it('keeps the connection to a slow server, as long as something arrives within the limit', async () => {
    const server = await startRedis();
    const other = rawClient(server.url);
    const clock = new VirtualClock();
    const connection = aConnection(server.url, { clock, commandTimeout: '5s' });
    await connection.open();
    const [first, second] = ['first', 'second'].map((key) => connection.send('blpop', [key, 0]));
    await clock.advance('4s');
    await other.lpush('first', 'a');
    await first;
    await clock.advance('4s');
    await other.lpush('second', 'b');
    expect(String(await second)).toBe('second,b');

    const third = connection.send('blpop', ['third', 0]).catch((error: unknown) => error);
    await clock.advance('5s');
    expect(await third).toMatchObject({ message: `Redis at 127.0.0.1:${server.port} has not answered for 5000 ms` });
    other.disconnect();
    await server.stop();
  });

  it('waits for a server to load its data', async () => {
    const server = await startRedis({
      args: ['--enable-debug-command', 'yes', '--key-load-delay', '20000'],
      appendonly: true,
    });
    const other = rawClient(server.url);
    other.on('error', () => {});
    const pipeline = other.pipeline();
    for (let index = 0; index < 50; index++) pipeline.set(`key ${index}`, 'x');
    await pipeline.exec();
    const connection = aConnection(server.url);
    await connection.open();
    await server.restart();
    expect(String(await connection.send('get', ['key 49']))).toBe('x');
    other.disconnect();
    await server.stop();
  });

  it('looks for the master again when its server has become a replica', async () => {
    const server = await startRedis();
    const other = rawClient(server.url);
    const connection = aConnection(server.url, { commandTimeout: 1_000 });
    const heard = recordAvailability(connection);
    await connection.send('set', ['key', 'before']);
    await other.replicaof('127.0.0.1', 1);
    await expect(connection.send('set', ['key', 'during'])).rejects.toThrow(/READONLY/);
    await expect(connection.send('set', ['key', 'during'])).rejects.toThrow(/replica, which accepts no writes/);
    await other.replicaof('NO', 'ONE');
    expect(String(await connection.send('set', ['key', 'after']))).toBe('OK');
    expect(heard.map(({ kind }) => kind)).toEqual(['up', 'down', 'up']);
    other.disconnect();
    await server.stop();
  });
});
