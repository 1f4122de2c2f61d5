import { addMs, epochMs, ms } from '../../lib/model/time/duration.js';
import { queueKeys } from '../../lib/redis/keys.js';
import { BrokerCommandError } from '../../lib/model/errors/broker-errors.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { startRedis } from '../support/redis-server.js';
import { grouped, later, now, nowSeconds, owner, runTaken } from '../conformance/task-words.js';
import { settlementKinds, settlementOf } from '../conformance/settle.conformance.js';
import { QueueUnderTest } from './queue-under-test.js';

/** What keeps or frees something must pass while Redis refuses whatever takes memory (`noeviction`). */
describe('a Redis that is full', () => {
  let tasks: QueueUnderTest;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    const server = await startRedis();
    stop = async () => await server.stop();
    tasks = QueueUnderTest.open({ url: server.url, queue: uniqueQueue('full') });
  });
  afterEach(async () => {
    await tasks.redis.config('SET', 'maxmemory', '0');
    await tasks.close();
    await stop();
  });

  const fill = async (): Promise<void> => {
    await tasks.redis.config('SET', 'maxmemory-policy', 'noeviction');
    await tasks.redis.config('SET', 'maxmemory', '1');
    await expect(tasks.redis.set('x', 'y')).rejects.toThrow('OOM');
  };

  it.each(settlementKinds)('still settles: %s', async (kind) => {
    const [message = tasks.message()] = await tasks.running({ id: 'a', retentionSeconds: 60 });
    await fill();
    expect(await tasks.settle(settlementOf(kind, message))).toEqual(['settled']);
  });

  it('still settles some of many that run', async () => {
    const messages = await tasks.running(...Array.from({ length: 600 }, (_, i) => ({ id: `a-${i}` })));
    await fill();
    for (const wanted of [messages.slice(300, 350), messages.filter((_, i) => i % 10 === 0 && (i < 300 || i >= 350))]) {
      const settlements = wanted.map((message) => settlementOf('done', message));
      expect(new Set(await tasks.settle(...settlements))).toEqual(new Set(['settled']));
    }
    expect(await tasks.redis.llen(tasks.keys.active)).toBe(495);
  });

  it('still extends leases, so that no long task runs twice', async () => {
    await tasks.running({ id: 'a' });
    await fill();
    const leases = [{ taskId: 'a', until: runTaken().leaseAsked, takenAt: now }];
    const leaseUntil = addMs(now, ms(40_000));
    const request = { queue: tasks.queue, owner, leases, leaseUntil };
    expect(await tasks.broker.work.extendLeases(request)).toEqual({ lost: [], canceled: [] });
    expect(await tasks.redis.zscore(tasks.keys.lease, 'a')).toBe(String(nowSeconds + 40));
  });

  it('still publishes servers and schedulers', async () => {
    await fill();
    const server = {
      host: 'h',
      pid: 1,
      serverId: tasks.queue,
      concurrency: 1,
      queues: { q: 1 },
      strictPriority: false,
      status: 'active',
      startedAt: now,
      activeWorkerCount: 0,
    } as const;
    const id = `h:1:${tasks.queue}`;
    await tasks.broker.presence.publishServer({ server, workers: [], ttl: ms(10_000), now });
    expect(await tasks.broker.presence.listAlive([id])).toEqual(new Set([id]));
    await tasks.broker.presence.clearServer(server);
    await tasks.broker.schedules.publishSchedules({ schedulerId: id, schedules: [], ttl: ms(10_000), now });
  });

  it('still fetches, forwards, recovers, cancels, heals and expires', async () => {
    await tasks.enqueue({ id: 'a' }, { id: 'b' }, later('later', addMs(now, ms(1_000))));
    await tasks.running({ id: 'lost' });
    await tasks.redis.zadd(tasks.keys.lease, nowSeconds, 'gone');
    await fill();
    const { maintenance, presence } = tasks.broker;
    const { queue } = tasks;
    expect((await tasks.dequeue()).messages).toHaveLength(1);
    const at = epochMs(now + 2_000);
    expect((await maintenance.forwardDue({ queue, now: at, limit: 10 })).forwarded).toBe(1);
    const expiredBy = epochMs(now + 60_000);
    const { leases } = await maintenance.listExpiredLeases({ queue, expiredBy, now: expiredBy, limit: 10 });
    const recoveries = leases.map(({ message, leaseSeconds }) => ({
      settlement: { kind: 'requeue', message } as const,
      leaseSeconds,
    }));
    expect(new Set(await maintenance.recover(queue, recoveries, at))).toEqual(new Set(['settled']));
    expect(await presence.cancel({ queue, taskId: 'later', outcome: 'delete', now: at })).toBe('deleted');
    expect(await presence.cancel({ queue, taskId: 'a', outcome: 'archive', now: at })).toBe('archived');
    const disorder = { queue, kind: 'task-without-place', subject: 'b' } as const;
    await tasks.redis.lrem(tasks.keys.pending, 0, 'b');
    const step = { queues: [queue], now: at, cursor: undefined, confirmed: [disorder] };
    expect((await maintenance.reconcile(step)).healed).toEqual([disorder]);
  });

  it('still aggregates, since one task replaces many', async () => {
    await tasks.enqueue(grouped('a', 'g'), grouped('b', 'g'));
    await fill();
    const { maintenance } = tasks.broker;
    const { queue } = tasks;
    const at = epochMs(now + 60_000);
    const limits = { maxSize: 1, maxDelay: ms(0), gracePeriod: ms(0) };
    const check = await maintenance.collectGroup({ queue, group: 'g', now: at, ...limits });
    const setId = check.kind === 'collected' ? check.setId : '';
    const combined = tasks.request({ id: 'all' });
    expect(await maintenance.finishAggregation({ queue, group: 'g', setId, combined, locks: [], now: at })).toBe(
      'finished',
    );
    const second = await maintenance.collectGroup({ queue, group: 'g', now: at, ...limits });
    const returned = { queue, group: 'g', setId: second.kind === 'collected' ? second.setId : '' };
    await maintenance.returnAggregationSet(returned);
    expect(await tasks.redis.zcard(`${queueKeys(queue).groupPrefix}g`)).toBe(1);
  });

  it('still deletes thousands of tasks whose combined task is stored, and keeps their locks', async () => {
    const { maintenance } = tasks.broker;
    const { queue } = tasks;
    const lockOf = (id: string): string => `asynq:{${queue}}:unique:email:send:${id}`;
    const ids = Array.from({ length: 1_100 }, (_, at) => `m${at}`);
    const members = ids.map((id) => grouped(id, 'g', { uniqueKey: lockOf(id), uniqueForSeconds: 600 }));
    await tasks.enqueue(...members);
    const limits = { maxSize: members.length, maxDelay: ms(0), gracePeriod: ms(0) };
    const check = await maintenance.collectGroup({ queue, group: 'g', now, ...limits });
    const setId = check.kind === 'collected' ? check.setId : '';
    await fill();
    const combined = tasks.request({ id: 'all' });
    const locks = ids.map(lockOf);
    expect(await maintenance.finishAggregation({ queue, group: 'g', setId, combined, locks, now })).toBe('finished');
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix}*`)).toEqual([`${tasks.keys.taskPrefix}all`]);
    expect(await tasks.redis.get(lockOf('m1099'))).toBe('aggregated:m1099');
  });

  it('refuses results of running tasks and histories of schedules', async () => {
    await tasks.running({ id: 'a' });
    await fill();
    const { work, schedules } = tasks.broker;
    const run = { queue: tasks.queue, taskId: 'a', owner, ...runTaken() };
    await expect(work.writeResult({ ...run, result: Buffer.from('r') })).rejects.toThrow(BrokerCommandError);
    const recorded = { scheduleId: tasks.queue, event: { taskId: 'a', enqueuedAt: now }, ttl: ms(1_000) };
    await expect(schedules.recordEvent(recorded)).rejects.toThrow(BrokerCommandError);
  });

  it('accepts no new tasks, and says so', async () => {
    await fill();
    expect(await tasks.enqueue({ id: 'a' }, later('b', addMs(now, ms(1_000))))).toEqual([
      expect.any(BrokerCommandError),
      expect.any(BrokerCommandError),
    ]);
    expect(await tasks.redis.dbsize()).toBe(0);
  });
});
