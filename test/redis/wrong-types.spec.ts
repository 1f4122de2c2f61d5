import type { StorageNotice } from '../../lib/model/broker/storage-notice.js';
import type { Settlement } from '../../lib/model/broker/work.contract.js';
import { BrokerCommandError } from '../../lib/model/errors/broker-errors.js';
import { addMs, epochMs, ms } from '../../lib/model/time/duration.js';
import { dayKey, groupKey, taskKey } from '../../lib/redis/keys.js';
import { grouped, later, now, nowSeconds, owner, runTaken } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

const soon = addMs(now, ms(500));
const places = ['archived', 'groups', 'scheduled', 'retry', 'pending', 'active', 'lease', 'due', 'completed'] as const;
const counters = ['processed', 'processedDay', 'failed', 'failedDay'] as const;
const keyNames = [...places, 'aggregationSets', ...counters, 'paused', 'task', 'group'] as const;
type KeyName = (typeof keyNames)[number];

const isCounter = (name: KeyName): boolean => (counters as readonly KeyName[]).includes(name);

/** The keys without which an operation cannot succeed; all others must not matter to it. */
const needs: Readonly<Record<string, readonly KeyName[]>> = {
  'enqueue now': ['pending'],
  'enqueue later': ['scheduled'],
  'enqueue grouped': ['group', 'groups'],
  dequeue: ['pending', 'active', 'lease', 'paused'],
  forward: ['scheduled', 'pending'],
  complete: ['active', 'lease', 'completed', 'pending', 'paused'],
  retry: ['active', 'lease', 'retry', 'pending', 'paused'],
};

describe.each(keyNames)('a key of a wrong type: %s', (name) => {
  let tasks: QueueUnderTest;
  let sound: QueueUnderTest;
  let notices: StorageNotice[];
  let badKey: string;

  beforeEach(async () => {
    tasks = QueueUnderTest.open();
    sound = QueueUnderTest.open();
    notices = [];
    tasks.broker.onNotice((notice) => notices.push(notice));
    badKey = keyOf(name);
    // A counter or a pause may hold any text; a task's hash none.
    if (isCounter(name) || name === 'paused') await tasks.redis.lpush(badKey, 'x');
    else await tasks.redis.set(badKey, 'neither list nor set');
  });
  afterEach(async () => {
    await tasks.redis.del(badKey);
    await tasks.close();
    await sound.close();
  });

  const keyOf = (key: KeyName): string => {
    if (key === 'task') return taskKey(tasks.keys, 'bad');
    if (key === 'group') return groupKey(tasks.keys, 'g');
    if (key === 'processedDay' || key === 'failedDay')
      return dayKey(tasks.keys[key === 'failedDay' ? 'failed' : 'processed'], now);
    return tasks.keys[key];
  };
  const succeeds = (operation: string): boolean => !(needs[operation] ?? []).includes(name);
  let runs = 0;
  const settles = async (settlement: (message: Settlement['message']) => Settlement): Promise<boolean> => {
    const [message = tasks.message()] = (await tasks.running({ id: `run-${++runs}` })).map((one) => one);
    const [outcome] = await tasks.settle(settlement(message));
    return outcome === 'settled';
  };

  it('names the key, and fails those enqueues of a call alone that need it', async () => {
    const outcomes = await tasks.enqueue({ id: 'a' }, later('b', soon), grouped('c', 'g'));
    const expected = ['enqueue now', 'enqueue later', 'enqueue grouped'].map((one) =>
      succeeds(one) ? 'enqueued' : expect.objectContaining({ message: expect.stringContaining(badKey) as string }),
    );
    expect(outcomes).toEqual(expected);
    if (!['pending', 'scheduled', 'retry', 'due', 'groups', 'group'].includes(name)) return;
    expect(notices).toContainEqual(
      expect.objectContaining({ kind: 'wrong-type', queue: tasks.queue, key: badKey, found: 'string' }),
    );
  });

  it('does not keep intact tasks from being fetched', async () => {
    if (name !== 'pending') {
      await tasks.redis.lpush(tasks.keys.pending, 'bad');
      await tasks.enqueue({ id: 'a' });
    }
    const fetched = (await tasks.dequeue(10)).messages.map(({ id }) => id);
    expect(fetched).toEqual(succeeds('dequeue') ? ['a'] : []);
    if (succeeds('dequeue') || name === 'pending' || name === 'paused') return;
    // Nothing has been touched, though the types show only once it is.
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['a', 'bad']);
    expect(await tasks.redis.hget(taskKey(tasks.keys, 'a'), 'state')).toBe('pending');
    if (name === 'lease') expect(await tasks.redis.exists(tasks.keys.active)).toBe(0);
    expect(notices.map((notice) => notice.kind === 'wrong-type' && notice.key)).toEqual([badKey]);
  });

  it('leaves every task whose outcome cannot be stored where it is', async () => {
    if (name !== 'lease' && name !== 'active') return;
    await tasks.redis.del(badKey);
    const messages = await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
    await tasks.redis.del(badKey);
    await tasks.redis.set(badKey, 'neither list nor set');
    for (const order of [messages, messages.toReversed(), messages.slice(1)]) {
      const outcomes = await tasks.settle(...order.map((message) => ({ kind: 'done', message }) as const));
      expect(outcomes).toEqual(order.map(() => expect.any(BrokerCommandError)));
      if (name === 'active') expect(await tasks.redis.zcard(tasks.keys.lease)).toBe(3);
      else expect((await tasks.redis.lrange(tasks.keys.active, 0, -1)).toSorted()).toEqual(['a', 'b', 'c']);
      expect(await tasks.redis.hget(taskKey(tasks.keys, 'a'), 'state')).toBe('active');
    }
  });

  it('does not keep intact tasks from being forwarded, and causes none to be forwarded repeatedly', async () => {
    await tasks.enqueue(later('b', soon));
    const at = addMs(now, ms(1_000));
    const result = await tasks.broker.maintenance.forwardDue({ queue: tasks.queue, now: at, limit: 10 });
    expect(result.forwarded).toBe(succeeds('forward') ? 1 : 0);
    expect(result.more).toBe(false);
  });

  it('does not keep intact tasks from being recovered', async () => {
    if (name !== 'lease') {
      await tasks.redis.hset(taskKey(tasks.keys, 'lost'), 'msg', 'no message', 'state', 'active');
      await tasks.redis.zadd(tasks.keys.lease, nowSeconds - 60, 'bad', nowSeconds - 60, 'lost');
      if (name !== 'active') await tasks.redis.lpush(tasks.keys.active, 'bad', 'lost');
    }
    const request = { queue: tasks.queue, expiredBy: now, now, limit: 10 };
    const archives = name !== 'archived' && name !== 'active' && name !== 'lease';
    const { undecodable } = await tasks.broker.maintenance.listExpiredLeases(request);
    expect(undecodable.map(({ taskId }) => taskId)).toEqual(archives ? ['lost'] : []);
  });

  it('does not keep outcomes from being stored that do not need it', async () => {
    const expiresAt = addMs(now, ms(60_000));
    expect(await settles((message) => ({ kind: 'complete', message, expiresAt, result: undefined }))).toBe(
      succeeds('complete'),
    );
    expect(await settles((message) => ({ kind: 'retry', message, retryAt: soon, counts: 'as-failure' }))).toBe(
      succeeds('retry'),
    );
  });

  it('is reported if it is a counter that cannot be incremented, whatever the outcome', async () => {
    if (!isCounter(name)) return;
    const expiresAt = addMs(now, ms(60_000));
    const isTold: boolean[] = [];
    for (const settlement of [
      { kind: 'done' },
      { kind: 'complete', expiresAt, result: undefined },
      { kind: 'retry', retryAt: soon, counts: 'as-failure' },
      { kind: 'archive' },
    ] as const) {
      notices.length = 0;
      expect(await settles((message) => ({ ...settlement, message }))).toBe(true);
      isTold.push(notices.some((notice) => notice.kind === 'wrong-type' && notice.key === badKey));
    }
    const succeeded = name === 'processed' || name === 'processedDay';
    expect(isTold).toEqual([succeeded, succeeded, true, true]);
  });

  it('does not keep other queues, or intact parts of its own, from being healed', async () => {
    await sound.redis.hset(taskKey(sound.keys, 'lost'), 'state', 'pending', 'msg', 'x');
    await sound.redis.zadd(sound.keys.scheduled, nowSeconds, 'gone');
    const scheduled = name === 'scheduled' ? tasks.keys.retry : tasks.keys.scheduled;
    await tasks.redis.zadd(scheduled, nowSeconds, 'gone');
    const { maintenance } = tasks.broker;
    const queues = [tasks.queue, sound.queue];
    const suspicions = [];
    for (let cursor: string | undefined = 'start'; cursor !== undefined;) {
      const step = { queues, now, cursor: cursor === 'start' ? undefined : cursor, confirmed: [] };
      const result = await maintenance.reconcile(step);
      suspicions.push(...result.suspicions);
      cursor = result.cursor;
    }
    const { healed } = await maintenance.reconcile({ queues, now, cursor: undefined, confirmed: suspicions });
    const gone = healed.filter(({ kind }) => kind === 'id-without-task').map(({ queue }) => queue);
    expect(gone).toEqual(expect.arrayContaining([tasks.queue, sound.queue]));
    expect(await tasks.redis.zscore(scheduled, 'gone')).toBeNull();
  });

  it('lets cancel, extend, collect, expire and aggregate return an outcome', async () => {
    await tasks.enqueue({ id: 'a' }, later('b', soon), grouped('c', 'g'));
    const { maintenance, presence, work } = tasks.broker;
    const { queue } = tasks;
    for (const taskId of ['a', 'b', 'c', 'bad']) {
      await presence.cancel({ queue, taskId, outcome: 'archive', now });
    }
    if (name !== 'lease') {
      const leases = [{ taskId: 'bad', until: now, takenAt: now }];
      await work.extendLeases({ queue, owner, leases, leaseUntil: runTaken().leaseUntil });
    }
    const limits = { maxSize: 0, maxDelay: ms(0), gracePeriod: ms(0) };
    await maintenance.listGroups(queue);
    await maintenance.collectGroup({ queue, group: 'g', now: epochMs(now + 60_000), ...limits });
    await maintenance.reclaimAggregationSets({ queue, now: epochMs(now + 600_000) });
    expect(await maintenance.deleteExpiredCompleted({ queue, now, limit: 10 })).toBe(0);
  });
});
