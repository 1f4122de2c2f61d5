import { Redis } from 'ioredis';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { startRedis } from './redis-server.js';
import { until } from './until.js';

/** A cluster of masters without replicas. */
export interface RunningCluster {
  readonly nodes: readonly RunningRedisServer[];
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** A client of one node, for arranging and asserting. */
  client(index: number): Redis;
  /** The index of the node that holds a key. */
  ownerOf(key: string): Promise<number>;
  stop(): Promise<void>;
}

const slotCount = 16_384;

/** Starts a cluster of `size` masters, all slots shared out. */
export async function startCluster(size = 3): Promise<RunningCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-require-full-coverage', 'no'];
  const nodes = await Promise.all(Array.from({ length: size }, () => startRedis({ args })));
  const clients = nodes.map(({ port }) => quietClient(port));
  const first = clients[0] as Redis;
  const ids = await Promise.all(clients.map((client) => client.cluster('MYID')));
  for (const [index, client] of clients.entries()) {
    const from = Math.floor((slotCount * index) / size);
    const to = Math.floor((slotCount * (index + 1)) / size) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  // A node that is too busy to answer within the node timeout is forgotten, and has to be introduced again.
  let introducedAt = 0;
  await until('every node of the cluster knows all slots', async () => {
    if (Date.now() - introducedAt > 3_000) {
      for (const { port } of nodes.slice(1)) await first.call('CLUSTER', 'MEET', '127.0.0.1', port);
      introducedAt = Date.now();
    }
    const infos = await Promise.all(clients.map((client) => client.cluster('INFO')));
    return infos.every((info) => info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${slotCount}`));
  });
  return {
    nodes,
    addresses: nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    client: (index) => clients[index] as Redis,
    ownerOf: async (key) => {
      const slot = await first.cluster('KEYSLOT', key);
      for (const [start, end, [, , id] = []] of (await first.call('CLUSTER', 'SLOTS')) as [
        number,
        number,
        string[],
      ][]) {
        if (slot >= start && slot <= end) return ids.indexOf(id as string);
      }
      return -1;
    },
    stop: async () => {
      for (const client of clients) client.disconnect();
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

function quietClient(port: number): Redis {
  const client = new Redis(port, { protocol: 2, disconnectTimeout: 50 });
  // Its server may be killed on purpose.
  client.on('error', () => {});
  return client;
}
