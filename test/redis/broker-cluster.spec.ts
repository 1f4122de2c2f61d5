import { systemClock } from '../../lib/engine/system-clock.js';
import type { EnqueueOutcome } from '../../lib/model/broker/enqueue.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { epochMs } from '../../lib/model/time/duration.js';
import { createRedisConnection } from '../../lib/redis/connection/create-connection.js';
import { queueKeys } from '../../lib/redis/keys.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { type RunningCluster, startCluster } from '../support/redis-cluster.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { aMessage, leaseSeconds, now, owner } from '../conformance/task-words.js';

describe('P-118 a broker on a cluster', () => {
  let cluster: RunningCluster;
  let broker: RedisBroker;
  /** One queue on each of the three masters, by the index of the master. */
  let queues: readonly string[];

  beforeAll(async () => {
    cluster = await startCluster(3);
  });
  afterAll(async () => await cluster.stop());

  beforeEach(async () => {
    broker = new RedisBroker(createRedisConnection({ cluster: { nodes: cluster.addresses } }, { clock: systemClock }));
    const byOwner: string[] = [];
    while ([0, 1, 2].some((index) => byOwner[index] === undefined)) {
      const queue = uniqueQueue('cluster');
      byOwner[await cluster.ownerOf(queueKeys(queue).pending)] = queue;
    }
    queues = byOwner;
  });
  afterEach(async () => await broker.close());

  const enqueue = async (...messages: readonly TaskMessage[]): Promise<readonly EnqueueOutcome[]> =>
    await broker.enqueue.enqueue(
      messages.map((message) => ({
        message,
        place: message.group === '' ? { kind: 'pending' as const } : { kind: 'aggregating' as const },
        uniqueForSeconds: message.uniqueKey === '' ? 0 : 60,
        idIsGenerated: false,
      })),
      now,
    );
  const dequeue = async (queue: string, limit = 10): Promise<readonly TaskMessage[]> => {
    const request = { queue, limit, now, leaseUntil: epochMs(leaseSeconds * 1_000), owner };
    return (await broker.work.dequeue(request)).messages;
  };

  it('enqueues to queues of all nodes in one call, each kind of task', async () => {
    const messages = queues.flatMap((queue) => [
      aMessage({ queue, id: 'plain' }),
      aMessage({ queue, id: 'unique', uniqueKey: `asynq:{${queue}}:unique:t:` }),
      aMessage({ queue, id: 'twin', uniqueKey: `asynq:{${queue}}:unique:t:` }),
      aMessage({ queue, id: 'grouped', group: 'g' }),
      aMessage({ queue, id: 'plain' }),
    ]);
    const outcomes = await enqueue(...messages);
    expect(outcomes).toEqual(queues.flatMap(() => ['enqueued', 'enqueued', 'duplicate', 'enqueued', 'id-conflict']));
    for (const [index, queue] of queues.entries()) {
      expect(await cluster.client(index).lrange(queueKeys(queue).pending, 0, -1)).toEqual(['unique', 'plain']);
    }
    const known = await Promise.all([0, 1, 2].map((index) => cluster.client(index).keys('asynq:queues')));
    expect(known.flat()).toEqual(['asynq:queues']);
  });

  it('continues after any node forgot the scripts', async () => {
    for (const [index, queue] of queues.entries()) {
      await enqueue(aMessage({ queue, id: 'a' }));
      await cluster.client(index).script('FLUSH');
      expect((await dequeue(queue)).map(({ id }) => id)).toEqual(['a']);
    }
  });

  it('P-18 keeps all keys of a queue in one slot', async () => {
    for (const queue of [...queues, 'a{b', 'a}b', 'a{b}c', '{', ' {x} ']) {
      const { queue: name, taskPrefix, groupPrefix, ...keys } = queueKeys(queue);
      const all = [...Object.values(keys), `${taskPrefix}id{x}`, `${groupPrefix}g{y}`];
      const slots = await Promise.all(all.map((key) => cluster.client(0).cluster('KEYSLOT', key)));
      expect([name, new Set(slots).size]).toEqual([queue, 1]);
      for (const key of all) expect(key.startsWith(`asynq:{${queue}}:`)).toBe(true);
    }
  });
});
