import { systemClock } from '../../lib/engine/system-clock.js';
import type { Disorder, Recovery } from '../../lib/model/broker/maintenance.contract.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { createRedisConnection } from '../../lib/redis/create-connection.js';
import { queueKeys } from '../../lib/redis/keys.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { type RunningCluster, startCluster } from '../support/redis-cluster.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { aTaskMessage } from '../support/a-task-message.js';
import { noon, noonSeconds, SeededQueue } from './seeded-queue.js';

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

  it('forwards', async () => {
    await everywhere(async (tasks) => {
      await tasks.given(
        { id: 'exact', state: 'scheduled', score: noonSeconds, exactDueAt: noon - 500 },
        { id: 'grouped', state: 'retry', group: 'g', places: [tasks.keys.retry] },
        { id: 'canceled', state: 'retry', fields: { 'x:cancel': 'archive' } },
      );
      const request = { queue: tasks.queue, now: noon, limit: 10 };
      expect(await broker.maintenance.forwardDue(request)).toMatchObject({ forwarded: 2, more: false });
      expect(await tasks.placesOf('canceled')).toEqual(['archived']);
    });
  });

  it('lists expired leases and recovers', async () => {
    await everywhere(async (tasks) => {
      const lock = `${tasks.keys.taskPrefix.slice(0, -2)}unique:t:`;
      await tasks.redis.set(lock, 'delete');
      const kinds = ['retry', 'archive', 'delete', 'requeue'] as const;
      const uniqueKey = (kind: string) => (kind === 'delete' ? lock : '');
      await tasks.given(
        ...kinds.map((id) => ({ id, state: 'active' as const, message: { uniqueKey: uniqueKey(id) } })),
        { id: 'bad', state: 'active', message: Buffer.from([0x0a, 0xff]) },
        { id: 'lost', state: 'active', places: [tasks.keys.lease] },
      );
      await tasks.redis.zadd(tasks.keys.lease, noonSeconds, 'gone');
      const expired = await broker.maintenance.listExpiredLeases({
        queue: tasks.queue,
        expiredBy: noon,
        now: noon,
        limit: 10,
      });
      expect(expired.undecodable.map(({ taskId }) => taskId)).toEqual(['bad']);
      const recoveries = expired.leases.map(({ message, leaseSeconds }): Recovery => {
        const kind = kinds.find((one) => one === message.id) ?? 'retry';
        const retryAt = addMs(noon, ms(1_500));
        if (kind === 'retry') return { settlement: { kind, message, retryAt, counts: 'as-failure' }, leaseSeconds };
        return { settlement: { kind, message }, leaseSeconds };
      });
      const outcomes = await broker.maintenance.recover(tasks.queue, recoveries, noon);
      expect(outcomes).toEqual(Array.from({ length: 5 }, () => 'settled'));
      const places = await Promise.all([...kinds, 'lost'].map(async (id) => await tasks.placesOf(id)));
      expect(places).toEqual([['retry'], ['archived'], [], ['pending'], ['retry']]);
      expect(await tasks.redis.exists(lock)).toBe(0);
    });
  });

  it('deletes completed tasks', async () => {
    await everywhere(async (tasks) => {
      await tasks.given({ id: 'old', state: 'completed' }, { id: 'new', state: 'completed', score: noonSeconds + 1 });
      const request = { queue: tasks.queue, now: noon, limit: 10 };
      expect(await broker.maintenance.deleteExpiredCompleted(request)).toBe(1);
      expect(await tasks.hash('old')).toEqual({});
    });
  });

  it('aggregates', async () => {
    await everywhere(async (tasks) => {
      const { queue } = tasks;
      await tasks.given(
        { id: 'a', state: 'aggregating', group: 'g', score: noonSeconds - 3 },
        { id: 'b', state: 'aggregating', group: 'g', score: noonSeconds - 2 },
        { id: 'bad', state: 'aggregating', group: 'g', score: noonSeconds - 2, message: Buffer.from([0x0a, 0xff]) },
      );
      await tasks.redis.sadd(tasks.keys.groups, 'g');
      expect(await broker.maintenance.listGroups(queue)).toEqual(['g']);
      const collect = async (maxSize: number) => {
        const limits = { maxSize, maxDelay: ms(0), gracePeriod: ms(0) };
        const checked = await broker.maintenance.collectGroup({ queue, group: 'g', now: noon, ...limits });
        return checked.kind === 'collected' ? checked.setId : '';
      };
      const first = { queue, group: 'g', setId: await collect(1) };
      const second = { queue, group: 'g', setId: await collect(0) };
      const message = aTaskMessage({ id: 'combined', type: 'digest', queue });
      const combined = { message, place: { kind: 'pending' }, uniqueForSeconds: 0, idIsGenerated: true } as const;
      expect(await broker.maintenance.finishAggregation({ ...first, combined, now: noon })).toBe('finished');
      const set = await broker.maintenance.readAggregationSet({ ...second, now: noon });
      expect([set?.messages.length, set?.undecodable.length]).toEqual([1, 1]);
      const later = { queue, now: addMs(noon, ms(120_000)) };
      expect(await broker.maintenance.reclaimAggregationSets(later)).toBe(1);
      expect(await tasks.placesOf('a')).toEqual([]);
      expect(await tasks.placesOf('b')).toEqual(['g:g']);
    });
  });

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
    });
    const round = async (confirmed: readonly Disorder[]) => {
      const names = queues.map(({ queue }) => queue);
      const suspicions: Disorder[] = [];
      const first = await broker.maintenance.reconcile({ queues: names, now: noon, cursor: undefined, confirmed });
      suspicions.push(...first.suspicions);
      for (let { cursor } = first; cursor !== undefined;) {
        const step = await broker.maintenance.reconcile({ queues: names, now: noon, cursor, confirmed: [] });
        suspicions.push(...step.suspicions);
        cursor = step.cursor;
      }
      return { suspicions, healed: first.healed };
    };
    const { suspicions } = await round([]);
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
