import { BrokerCommandError, BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import type { RedisOption } from '../../lib/redis/connection/redis-option.js';
import { aConnection, aWait, closeConnections, recordAvailability } from '../support/connections.js';
import { watchLeaks } from '../support/leak-check.js';
import { type RunningSentinel, startSentinel } from '../support/redis-sentinel.js';
import { until } from '../support/until.js';

describe('a RedisConnection through sentinels', () => {
  let running: RunningSentinel;
  let leaks: ReturnType<typeof watchLeaks>;

  beforeAll(async () => {
    running = await startSentinel({ password: 'data secret', sentinelPassword: 'sentinel secret' });
    leaks = watchLeaks();
  });

  afterEach(closeConnections);

  afterAll(() => running.stop());

  const option = (): RedisOption => ({
    // The first one is not there.
    sentinels: [
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port: running.sentinel.port },
    ],
    name: running.name,
    password: 'data secret',
    sentinelPassword: 'sentinel secret',
  });

  it('C-80 gives the password of a URL to the sentinels alone', async () => {
    const url = `redis-sentinel://:sentinel%20secret@127.0.0.1:${running.sentinel.port}/0?master=${running.name}`;
    const failure = await aConnection(url)
      .open()
      .catch((error: unknown) => error);
    // It got as far as the master, which wants a password of its own.
    expect(failure).toBeInstanceOf(BrokerCommandError);
    expect((failure as Error).message).toMatch(/refuses the connection: NOAUTH/);
    expect((failure as Error).message).not.toContain('secret');
  });

  it('says what is wrong when no sentinel knows the master', async () => {
    const connection = aConnection({ ...(option() as object), name: 'other' }, { connectTimeout: 300 });
    const failure = await connection.open().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BrokerUnavailableError);
    expect((failure as Error).message).toContain('Redis at master "other" of sentinels 127.0.0.1:1,');
  });

  it('works with the master, and with the new one after a failover', async () => {
    const connection = aConnection(option());
    const heard = recordAvailability(connection);
    await connection.open();
    await connection.send('set', ['key', 'before']);
    let messages = 0;
    let reconnects = 0;
    await connection.subscribe({
      channels: ['asynq:cancel'],
      onMessage: () => (messages += 1),
      onReconnect: () => (reconnects += 1),
    });
    const waiting = connection.sendBlocking(aWait('list')).catch((error: unknown) => error);

    await running.failOver();
    await until(
      'writes go to the new master',
      async () => {
        await connection.send('set', ['key', 'after']);
        return String(await connection.send('config', ['GET', 'port'])) === `port,${running.replica.port}`;
      },
      { within: '45s' },
    );
    expect(await waiting).toBeInstanceOf(BrokerUnavailableError);
    const again = connection.sendBlocking(aWait('list'));
    await connection.send('lpush', ['list', 'element']);
    expect(String(await again)).toBe('element');
    await until('signals are heard again', async () => {
      await connection.send('publish', ['asynq:cancel', 'id']);
      return messages > 0;
    });
    expect(reconnects).toBe(1);
    expect(heard.map(({ kind }) => kind)).toEqual(['up', 'down', 'up']);
    await connection.close();
    await leaks.expectNone();
    // A sentinel that is short of processor time takes half a minute to trust its clock again.
  }, 120_000);
});
