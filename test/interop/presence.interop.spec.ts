import { hostname } from 'node:os';
import { silentLogger } from '../../lib/engine/logger.js';
import { openBroker } from '../../lib/engine/open-broker.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { decodeServerInfo, decodeWorkerInfo } from '../../lib/model/broker/presence.codec.js';
import { sharedRedisUrl } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { acrossLanguages } from './support/across.js';
import { found } from './support/found.js';

describe('servers as the other side sees them', () => {
  const across = acrossLanguages();

  it('S-74 P-104 P-105 shows Go our server and what it runs', async () => {
    const queue = across.aQueue('seen');
    const low = across.aQueue('low');
    const { id } = await across.client.enqueue('until-canceled', { n: 1 }, { queue, timeout: '1m' });
    const worker = await across.aNodeWorker({
      queues: { [queue]: 6, [low]: 1 },
      concurrency: 7,
      strictPriority: true,
      shutdownTimeout: '50ms',
    });
    await worker.hasStarted(id);

    const seen = await found('Go sees the running task', async () =>
      (await across.inspector.servers()).find(
        ({ ID, ActiveWorkers }) => ID === worker.server.id && ActiveWorkers.length === 1,
      ),
    );
    expect(seen).toMatchObject({
      Host: hostname(),
      PID: process.pid,
      Concurrency: 7,
      Queues: { [queue]: 6, [low]: 1 },
      StrictPriority: true,
      Status: 'active',
      ActiveWorkers: [{ TaskID: id, TaskType: 'until-canceled', Queue: queue }],
    });
    const [running] = seen.ActiveWorkers;
    expect(Buffer.from(running?.TaskPayload ?? '', 'base64').toString()).toBe('{"n":1}');
    const limit = Date.parse(running?.Deadline ?? '') - Date.parse(running?.Started ?? '');
    expect(Math.abs(limit - 60_000)).toBeLessThan(1_000);
    expect(Math.abs(Date.parse(seen.Started) - Date.now())).toBeLessThan(20_000);
  });

  it('P-107 S-21 shows Go when our server stops fetching, and P-106 S-77 nothing after its shutdown', async () => {
    const queue = across.aQueue('status');
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    const status = async (): Promise<string | undefined> =>
      (await across.inspector.servers()).find(({ ID }) => ID === worker.server.id)?.Status;
    await until('Go sees it active', async () => (await status()) === 'active');

    await worker.server.stop();
    await until('Go sees it stopped', async () => (await status()) === 'stopped');

    await worker.shutdown();
    expect(await status()).toBeUndefined();
    expect((await across.redis.zrange('asynq:servers', 0, '-1')).join()).not.toContain(worker.server.id);
    expect((await across.redis.zrange('asynq:workers', 0, '-1')).join()).not.toContain(worker.server.id);
  });

  it('P-104 P-105 P-15 reads what a Go server publishes', async () => {
    const queue = across.aQueue('go-server');
    const { id } = await across.go.enqueue({ type: 'until-canceled', payload: 'x', options: { queue } });
    const worker = await across.aGoWorker({ queues: { [queue]: 3 }, concurrency: 4 });
    await worker.hasStarted(id);

    const key = await found('the Go server is listed', async () => {
      const keys = await across.redis.zrange('asynq:servers', 0, '-1');
      return keys.find((member) => member.includes(`:${worker.pid}:`));
    });
    const server = decodeServerInfo((await across.redis.getBuffer(key)) ?? Buffer.alloc(0));
    expect(server.ok && server.value).toMatchObject({
      host: hostname(),
      pid: worker.pid,
      concurrency: 4,
      strictPriority: false,
      status: 'active',
    });
    expect(server.ok && { ...server.value.queues }).toEqual({ [queue]: 3 });
    const broker = openBroker(sharedRedisUrl(), { clock: systemClock, logger: silentLogger });
    const listed = (await broker.presence.listServers()).find(({ pid }) => pid === worker.pid);
    await broker.close();
    expect(listed).toEqual(server.ok && server.value);
    expect(listed?.aggregates).toBeUndefined();

    // Go publishes what runs at its heartbeat, every 5 s.
    const record = await found(
      'the Go server shows what it runs',
      async () => await across.redis.hgetBuffer(key.replace('servers', 'workers'), id),
    );
    const running = decodeWorkerInfo(record);
    expect(running.ok && running.value).toMatchObject({
      taskId: id,
      taskType: 'until-canceled',
      queue,
      pid: worker.pid,
    });
  });
});
