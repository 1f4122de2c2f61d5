import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import { resolveClientOptions } from '../../lib/engine/client/client-options.js';
import { silentLogger } from '../../lib/engine/logger.js';
import { openBroker } from '../../lib/engine/open-broker.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import type { Broker } from '../../lib/model/broker/broker.js';
import { ms } from '../../lib/model/time/duration.js';
import { resolveConnectionLimits } from '../../lib/redis/connection/connection-limits.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { startTcpProxy } from '../../scripts/tcp-proxy.mjs';

const commandTimeout = ms(300);

function open(url: string): { readonly broker: Broker; readonly client: AsynqClient; readonly heard: string[] } {
  const broker = openBroker(url, { clock: systemClock, logger: silentLogger, commandTimeout, connectTimeout: 300 });
  const heard: string[] = [];
  broker.onAvailability(({ kind }) => heard.push(kind));
  return { broker, client: new AsynqClient({ broker, enqueueTimeout: commandTimeout }), heard };
}

/** Keeps the event loop from turning, as a long computation does. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe('a process that computes for longer than its limits', () => {
  it.each(['opened', 'not opened'] as const)('loses nothing on a connection that was %s', async (state) => {
    const server = await startRedis();
    const { broker, client, heard } = open(server.url);
    if (state === 'opened') await client.ping();
    const calls = Promise.all([client.enqueue('a'), client.ping(), broker.open(), broker.work.isPaused('default')]);
    compute(2 * commandTimeout);
    await expect(calls).resolves.toMatchObject([{ type: 'a' }, undefined, undefined, false]);
    const next = Promise.all([client.enqueue('b'), client.cancel('none', { queue: 'default' })]);
    // What was sent is answered while nobody reads.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    compute(2 * commandTimeout);
    await expect(next).resolves.toMatchObject([{ type: 'b' }, {}]);
    expect(heard).toEqual(['up']);
    await client.close();
    await broker.close();
    await server.stop();
  });

  it('still notices a server that does not reply', async () => {
    const server = await startRedis();
    const { broker, client, heard } = open(server.url);
    await client.ping();
    server.pause();
    const ping = client.ping();
    compute(2 * commandTimeout);
    await expect(ping).rejects.toThrow('has not answered for 300 ms');
    await until('the loss is told', () => heard.includes('down'));
    server.resume();
    await client.close();
    await broker.close();
    await server.stop();
  });
});

describe('a link that fails silently', () => {
  it('has the task sent again on a new connection, within the limit of the client', async () => {
    const server = await startRedis();
    const proxy = await startTcpProxy(server.port);
    const deps = { clock: systemClock, logger: silentLogger, commandTimeout };
    const broker = openBroker(proxy.url, deps);
    const client = new AsynqClient({ broker, enqueueTimeout: 2 * commandTimeout * 5 });
    await client.enqueue('before');
    proxy.goSilent();
    const [info] = await Promise.all([client.enqueue('after'), client.enqueue('beside')]);
    const redis = rawClient(server.url);
    expect(await redis.lrange('asynq:{default}:pending', 0, -1)).toContain(info.id);
    expect(await redis.llen('asynq:{default}:pending')).toBe(3);
    redis.disconnect();
    await client.close();
    await broker.close();
    await proxy.stop();
    await server.stop();
  });

  it('leaves time for that with default limits', () => {
    const { enqueueTimeout } = resolveClientOptions({});
    expect(enqueueTimeout).toBeGreaterThanOrEqual(2 * resolveConnectionLimits({}, 'redis:').commandTimeout);
  });
});
