import { systemClock } from '../../lib/engine/system-clock.js';
import { createRedisConnection } from '../../lib/redis/connection/create-connection.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { mortalConnection } from '../support/mortal-connection.js';
import { startCluster } from '../support/redis-cluster.js';
import { rawClient } from '../support/redis-server.js';
import type { BrokerBackend, MortalBroker } from './describe-broker.js';
import { redisFleetProbe, redisQueueProbe } from './redis-probe.js';

/** Brokers on the server at `url`, which the caller stops. */
export async function redisBackend(url: string): Promise<BrokerBackend> {
  const client = rawClient(url);
  const clientOf = () => Promise.resolve(client);
  return {
    label: `RedisBroker on ${serverOf(await client.info('server'))}`,
    fleet: redisFleetProbe(clientOf),
    open: () => new RedisBroker(createRedisConnection(url, { clock: systemClock })),
    openMortal: (commands) => openMortal(url, commands),
    probe: async (queue) => await redisQueueProbe(queue, clientOf),
    close: async () => {
      client.disconnect();
      return await Promise.resolve();
    },
  };
}

/** Brokers on a cluster of its own. */
export async function clusterBackend(): Promise<BrokerBackend> {
  const cluster = await startCluster();
  const option = { cluster: { nodes: cluster.addresses } };
  const clientOf = async (key: string) => cluster.client(await cluster.ownerOf(key));
  return {
    label: `RedisBroker on a cluster of ${serverOf(await cluster.client(0).info('server'))}`,
    fleet: redisFleetProbe(clientOf),
    open: () => new RedisBroker(createRedisConnection(option, { clock: systemClock })),
    openMortal: (commands) => openMortal(option, commands),
    probe: async (queue) => await redisQueueProbe(queue, clientOf),
    close: async () => await cluster.stop(),
  };
}

function openMortal(option: Parameters<typeof createRedisConnection>[0], commands: number): MortalBroker {
  const mortal = mortalConnection(createRedisConnection(option, { clock: systemClock }), commands);
  return { broker: new RedisBroker(mortal.connection), hasDied: mortal.hasDied };
}

/** Name and version, as in `Redis 7.0`. */
function serverOf(info: string): string {
  const version = (name: string): string | undefined => new RegExp(`^${name}:(\\d+\\.\\d+)`, 'm').exec(info)?.[1];
  const valkey = version('valkey_version');
  return valkey === undefined ? `Redis ${version('redis_version')}` : `Valkey ${valkey}`;
}
