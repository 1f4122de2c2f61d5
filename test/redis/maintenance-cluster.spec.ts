import { systemClock } from '../../lib/engine/system-clock.js';
import type { Disorder } from '../../lib/model/broker/maintenance.contract.js';
import { createRedisConnection } from '../../lib/redis/connection/create-connection.js';
import { queueKeys } from '../../lib/redis/keys.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { type RunningCluster, startCluster } from '../support/redis-cluster.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { noon, SeededQueue } from './seeded-queue.js';

describe('P-118 maintenance on a cluster', () => {
  let cluster: RunningCluster;
  let broker: RedisBroker;
  /** One queue on each of the three masters. */
  let queues: readonly SeededQueue[];

  beforeAll(async () => {
    cluster = await startCluster(3);
  });
  afterAll(async () => await cluster.stop());

  beforeEach(async () => {
    broker = new RedisBroker(createRedisConnection({ cluster: { nodes: cluster.addresses } }, { clock: systemClock }));
    const byOwner = new Map<number, string>();
    while (byOwner.size < 3) {
      const queue = uniqueQueue('cluster');
      byOwner.set(await cluster.ownerOf(queueKeys(queue).pending), queue);
    }
    queues = await Promise.all(
      [...byOwner.values()].map(async (name) => await SeededQueue.inCluster(cluster, broker, name)),
    );
  });
  afterEach(async () => await broker.close());

  const everywhere = async (act: (tasks: SeededQueue) => Promise<void>): Promise<void> => {
    for (const tasks of queues) await act(tasks);
  };

  it('reconciles the queues of all masters in one round', async () => {
    await everywhere(async (tasks) => {
      await tasks.given(
        { id: 'lost', places: [] },
        { id: 'unleased', state: 'active', places: [tasks.keys.active] },
        { id: 'running', state: 'active', places: [tasks.keys.lease] },
        { id: 'twice', places: [tasks.keys.pending, tasks.keys.retry] },
        { id: 'grouped', state: 'aggregating', group: 'g' },
      );
      await tasks.redis.hset(`${tasks.keys.taskPrefix}stub`, 'result', 'r');
      await tasks.redis.zadd(tasks.keys.scheduled, 1, 'gone');
      await tasks.redis.set(`${tasks.keys.lockPrefix}email:send:`, 'gone');
    });
    const round = async (confirmed: readonly Disorder[]) => {
      const names = queues.map(({ queue }) => queue);
      const suspicions: Disorder[] = [];
      const healed: Disorder[] = [];
      const first = await broker.maintenance.reconcile({ queues: names, now: noon, cursor: undefined, confirmed });
      suspicions.push(...first.suspicions);
      healed.push(...first.healed);
      for (let { cursor } = first; cursor !== undefined;) {
        const step = await broker.maintenance.reconcile({ queues: names, now: noon, cursor, confirmed: [] });
        suspicions.push(...step.suspicions);
        healed.push(...step.healed);
        cursor = step.cursor;
      }
      return { suspicions, healed };
    };
    const { suspicions, healed } = await round([]);
    expect(new Set(healed)).toEqual(
      new Set(
        queues.map(({ queue, keys }) => ({
          queue,
          kind: 'lock-without-task',
          subject: `${keys.lockPrefix}email:send:`,
        })),
      ),
    );
    for (const { queue } of queues) {
      const found = suspicions
        .filter((suspicion) => suspicion.queue === queue)
        .map(({ kind, subject }) => [kind, subject]);
      expect(new Map(found as [string, string][])).toEqual(
        new Map([
          ['active-without-lease', 'unleased'],
          ['lease-without-active', 'running'],
          ['id-without-task', 'gone'],
          ['task-in-wrong-place', 'twice'],
          ['task-without-place', 'lost'],
          ['task-without-message', 'stub'],
          ['group-not-listed', 'g'],
        ]),
      );
    }
    expect((await round(suspicions)).healed).toHaveLength(21);
    expect(await round([])).toEqual({ suspicions: [], healed: [] });
  });
});
