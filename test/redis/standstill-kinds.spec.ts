import { Redis } from 'ioredis';
import { freePort, type RunningRedisServer } from '../../scripts/redis-server.mjs';
import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import { silentLogger } from '../../lib/engine/logger.js';
import { openBroker, type RedisOption } from '../../lib/engine/open-broker.js';
import { ms } from '../../lib/model/time/duration.js';
import { selfSignedCertificate } from '../support/certificate.js';
import { startCluster, type RunningCluster } from '../support/redis-cluster.js';
import { type RunningSentinel, startSentinel } from '../support/redis-sentinel.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { StandstillClock } from '../support/standstill-clock.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { eventLoopTurns } from '../support/virtual-clock.js';
import { signalListener } from '../support/signal-listener.js';

describe('a process that computes for longer than its limits', () => {
  const certificate = selfSignedCertificate('localhost');
  let tlsPort: number;
  let server: RunningRedisServer;
  let cluster: RunningCluster;
  let sentinel: RunningSentinel;
  let lent: Redis;

  beforeAll(async () => {
    tlsPort = await freePort();
    [server, cluster, sentinel] = await Promise.all([
      startRedis({ tls: { port: tlsPort, certificate } }),
      startCluster(3),
      startSentinel(),
    ]);
    lent = rawClient(server.url);
  });

  afterAll(async () => {
    lent.disconnect();
    await Promise.all([server.stop(), cluster.stop(), sentinel.stop()]);
  });

  const kinds: Readonly<Record<string, () => RedisOption>> = {
    'a server': () => server.url,
    'a server with TLS': () => ({ host: '127.0.0.1', port: tlsPort, tls: { ca: certificate.cert } }),
    'a lent client': () => lent,
    'a sentinel': () => ({ sentinels: [{ host: '127.0.0.1', port: sentinel.sentinel.port }], name: sentinel.name }),
    'a node of a cluster': () => ({ cluster: { nodes: cluster.addresses.slice(0, 1) } }),
  };

  // Whatever has to be connected for a call is under way, one step further each time, when the process stands still.
  const cases = Object.keys(kinds).flatMap((kind) => [0, 1, 2, 3, 5, 8].map((turns) => ({ kind, turns })));

  it.each(cases)('loses nothing on its way to $kind, $turns turns after it began', async ({ kind, turns }) => {
    const clock = new StandstillClock();
    const broker = openBroker((kinds[kind] as () => RedisOption)(), { clock, logger: silentLogger });
    const heard: string[] = [];
    broker.onAvailability((news) => heard.push(news.kind));
    const queue = uniqueQueue('standstill');
    const client = new AsynqClient({ broker, clock, defaults: { queue } });
    const { signal } = new AbortController();
    for (const state of ['not opened', 'opened']) {
      const calls = [
        client.enqueue('task', state),
        client.cancel('no such task'),
        client.ping(),
        broker.time(),
        broker.presence.subscribe(signalListener()),
        broker.work.waitForTask({ queue, timeout: ms(50), signal }),
      ];
      await eventLoopTurns(turns);
      clock.standStill(ms(60_000));
      const outcomes = await Promise.allSettled(calls);
      expect(outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))).toEqual([]);
    }
    expect(heard).toEqual(['up']);
    await client.close();
    await broker.close();
  });

  describe('and the limits of ioredis itself', () => {
    /** Keeps the event loop from turning. */
    function compute(milliseconds: number): void {
      const end = performance.now() + milliseconds;
      while (performance.now() < end);
    }

    async function open(option: RedisOption, standstill: (opening: Promise<void>) => Promise<void>): Promise<string[]> {
      const broker = openBroker(option, { clock: new StandstillClock(), logger: silentLogger, commandTimeout: 700 });
      const heard: string[] = [];
      broker.onAvailability((news) => heard.push(news.kind));
      const opening = broker.open();
      await standstill(opening);
      await opening;
      await broker.close();
      return heard;
    }

    it('connects to a server', async () => {
      const heard = await open(server.url, async () => {
        // The system has been told to connect; what became of that is not looked at before the loop turns.
        for (let tick = 0; tick < 20; tick++) await new Promise<void>((resolve) => process.nextTick(resolve));
        compute(2_200);
      });
      expect(heard).toEqual(['up']);
    });

    it.each(['a sentinel', 'a node of a cluster'])('receives the reply of %s', async (kind) => {
      const servers = kind === 'a sentinel' ? [sentinel.sentinel] : cluster.nodes;
      for (const one of servers) one.pause();
      const heard = await open((kinds[kind] as () => RedisOption)(), async () => {
        // It has been asked by now, and answers while nobody reads.
        await eventLoopTurns(200);
        for (const one of servers) one.resume();
        compute(1_300);
      });
      expect(heard).toEqual(['up']);
    });
  });
});
