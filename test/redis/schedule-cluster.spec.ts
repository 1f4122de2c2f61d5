import { systemClock } from '../../lib/engine/system-clock.js';
import { createRedisConnection } from '../../lib/redis/connection/create-connection.js';
import { queueKeys } from '../../lib/redis/keys.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { epochMs, ms } from '../../lib/model/time/duration.js';
import { startCluster } from '../support/redis-cluster.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { aMessage, now, nowSeconds } from '../conformance/task-words.js';

describe('schedules on a cluster', () => {
  it('P-118 use each tick up once on every node, and publish entries and history', async () => {
    const cluster = await startCluster(3);
    const connect = (): RedisBroker =>
      new RedisBroker(createRedisConnection({ cluster: { nodes: cluster.addresses } }, { clock: systemClock }));
    const brokers = [connect(), connect()];
    const byOwner: string[] = [];
    while ([0, 1, 2].some((index) => byOwner[index] === undefined)) {
      const queue = uniqueQueue('cluster');
      byOwner[await cluster.ownerOf(queueKeys(queue).pending)] = queue;
    }

    const tick = epochMs(nowSeconds * 1_000);
    for (const queue of byOwner) {
      const outcomes = await Promise.all(
        brokers.map((broker, i) => {
          const message = aMessage({ queue, id: `task-${i}` });
          const request = { message, place: { kind: 'pending' }, uniqueForSeconds: 0, idIsGenerated: true } as const;
          return broker.schedules.enqueueTick({ schedule: 'backup', tick, request, overlap: 'skip', now });
        }),
      );
      expect(outcomes.toSorted()).toEqual(['enqueued', 'taken']);
    }
    const [first, second] = brokers as [RedisBroker, RedisBroker];
    const names = byOwner.map((queue) => ({ queue, schedule: 'backup' }));
    expect(await second.schedules.latestTicks(names)).toEqual([tick, tick, tick]);

    const schedulerId = 'host:1:scheduler';
    await first.schedules.publishSchedules({ schedulerId, schedules: [], ttl: ms(20_000), now });
    await first.schedules.recordEvent({
      scheduleId: 'entry',
      event: { taskId: 'a', enqueuedAt: now },
      ttl: ms(20_000),
    });
    await first.schedules.clearSchedules(schedulerId);

    await Promise.all(brokers.map((broker) => broker.close()));
    await cluster.stop();
  });
});
