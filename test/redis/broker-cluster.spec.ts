import { systemClock } from '../../lib/engine/system-clock.js';
import type { EnqueueOutcome } from '../../lib/model/broker/enqueue.contract.js';
import type { Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, epochMs, ms } from '../../lib/model/time/duration.js';
import { createRedisConnection } from '../../lib/redis/create-connection.js';
import { queueKeys, taskKey } from '../../lib/redis/keys.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { type RunningCluster, startCluster } from '../support/redis-cluster.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { until } from '../support/until.js';
import { aMessage, leaseSeconds, now, owner } from './queue-under-test.js';

const later = addMs(now, ms(5_000));

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

  it('P-77 dequeues, extends, writes results and settles tasks of every kind, with and without locks', async () => {
    for (const queue of queues) {
      const kinds = ['done', 'complete', 'retry', 'archive', 'delete', 'requeue', 'snooze', 'return'] as const;
      const foreign = 'asynq:{elsewhere}:unique:t:';
      await enqueue(
        ...kinds.flatMap((kind) => [
          aMessage({ queue, id: `${kind}-free` }),
          aMessage({ queue, id: `${kind}-locked`, uniqueKey: `asynq:{${queue}}:unique:${kind}:` }),
        ]),
      );
      const messages = (await dequeue(queue, 100)).map((message) =>
        message.id === 'done-free' ? { ...message, uniqueKey: foreign } : message,
      );
      expect(messages).toHaveLength(16);
      const leases = messages.map(({ id }) => ({ taskId: id, until: epochMs(leaseSeconds * 1_000), takenAt: now }));
      expect(await broker.work.extendLeases({ queue, owner, leases, leaseUntil: later })).toEqual({
        lost: [],
        canceled: [],
      });
      expect(await broker.work.writeResult({ queue, taskId: 'done-free', result: Buffer.from('r') })).toBe(true);
      const settlements = messages.map((message): Settlement => {
        const kind = kinds.find((name) => message.id.startsWith(name));
        return { ...filler, kind, message } as Settlement;
      });
      expect(new Set(await broker.work.settle(queue, settlements, now))).toEqual(new Set(['settled']));
      const again = await broker.work.settle(queue, settlements, now);
      expect(new Set(again)).toEqual(new Set(['not-active']));
    }
  });

  it('goes on after any node forgot the scripts', async () => {
    for (const [index, queue] of queues.entries()) {
      await enqueue(aMessage({ queue, id: 'a' }));
      await cluster.client(index).script('FLUSH');
      expect((await dequeue(queue)).map(({ id }) => id)).toEqual(['a']);
    }
  });

  it('archives records that do not decode', async () => {
    for (const [index, queue] of queues.entries()) {
      await enqueue(aMessage({ queue, id: 'bad' }), aMessage({ queue, id: 'good' }));
      await cluster.client(index).hset(taskKey(queueKeys(queue), 'bad'), 'msg', Buffer.from([0x0a, 0xff]));
      expect((await dequeue(queue)).map(({ id }) => id)).toEqual(['good']);
      expect(await cluster.client(index).zrange(queueKeys(queue).archived, 0, '-1')).toEqual(['bad']);
    }
  });

  it('waits for tasks on every node, and says who is paused', async () => {
    for (const queue of queues) {
      await enqueue(aMessage({ queue, id: 'a' }));
      const { signal } = new AbortController();
      expect(await broker.work.waitForTask({ queue, timeout: ms(10_000), signal })).toBe('task');
      expect(await broker.work.isPaused(queue)).toBe(false);
    }
  });

  it('cancels in every state, and tells workers on every node', async () => {
    const heard: string[] = [];
    const unsubscribe = await broker.presence.subscribe({
      onCancel: (taskId, request) => void (request !== undefined && heard.push(`${request.queue} ${taskId}`)),
      onWake: (queue) => heard.push(`wake ${queue}`),
      onDue: () => {},
      onReconnect: () => {},
    });
    for (const queue of queues) {
      await enqueue(aMessage({ queue, id: 'running' }));
      await dequeue(queue);
      await enqueue(aMessage({ queue, id: 'a' }), aMessage({ queue, id: 'grouped', group: 'g' }));
      const cancel = async (taskId: string, then: 'archive' | 'delete') =>
        await broker.presence.cancel({ queue, taskId, then, now });
      expect(await cancel('a', 'archive')).toBe('archived');
      expect(await cancel('grouped', 'delete')).toBe('deleted');
      expect(await cancel('running', 'archive')).toBe('signaled');
      await broker.presence.signalCancel('unknown');
    }
    await until('all nodes are heard', () => queues.every((queue) => heard.includes(`${queue} running`)));
    expect(heard).toEqual(expect.arrayContaining(queues.map((queue) => `wake ${queue}`)));
    await unsubscribe();
  });

  it('publishes, lists and clears servers', async () => {
    const server = (serverId: string) =>
      ({
        host: 'h',
        pid: 1,
        serverId,
        concurrency: 1,
        queues: {},
        strictPriority: false,
        status: 'active',
        startedAt: now,
        activeWorkerCount: 0,
      }) as const;
    const names = queues.map((queue) => `h:1:${queue}`);
    for (const queue of queues) {
      await broker.presence.publishServer({ server: server(queue), workers: [], ttl: ms(10_000), now });
    }
    expect(await broker.presence.listAlive([...names, 'h:1:gone'])).toEqual(new Set(names));
    for (const queue of queues) await broker.presence.clearServer(server(queue));
    expect(await broker.presence.listAlive(names)).toEqual(new Set());
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

const filler = {
  expiresAt: addMs(now, ms(60_000)),
  result: undefined,
  retryAt: later,
  counts: 'as-failure',
  until: later,
  first: ms(1_000),
  longest: ms(5_000),
};
