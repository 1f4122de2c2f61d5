import { MemoryBroker } from '../../lib/memory/memory-broker.js';
import { MemoryStore } from '../../lib/memory/memory-state.js';
import type { EnqueueRequest } from '../../lib/model/broker/enqueue.contract.js';
import type { ServerInfo } from '../../lib/model/broker/presence.js';
import type { Settlement } from '../../lib/model/broker/work.contract.js';
import { InvalidStateError } from '../../lib/model/errors/state-errors.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, epochMs, type EpochMs, ms } from '../../lib/model/time/duration.js';
import { ended, runTaken } from '../conformance/task-words.js';
import { aTaskMessage } from '../support/a-task-message.js';
import { VirtualClock } from '../support/virtual-clock.js';

const queue = 'q';
const owner = 'h:1:s';
const server: ServerInfo = {
  host: 'h',
  pid: 1,
  serverId: 's',
  concurrency: 1,
  queues: { q: 1 },
  strictPriority: false,
  status: 'active',
  startedAt: epochMs(0),
  activeWorkerCount: 0,
};

describe('a broker in memory', () => {
  let clock: VirtualClock;
  let store: MemoryStore;
  let broker: MemoryBroker;
  let now: EpochMs;

  beforeEach(() => {
    clock = new VirtualClock();
    store = new MemoryStore();
    broker = new MemoryBroker({ store, clock });
    now = clock.now();
  });

  const aRequest = (parts: Partial<TaskMessage> & Partial<Omit<EnqueueRequest, 'message'>> = {}): EnqueueRequest => {
    const { place = { kind: 'pending' }, uniqueForSeconds = 0, idIsGenerated = false, ...fields } = parts;
    return { message: aTaskMessage({ id: 'a', queue, ...fields }), place, uniqueForSeconds, idIsGenerated };
  };
  const dequeue = async (at = now) =>
    await broker.work.dequeue({ queue, limit: 10, now: at, leaseUntil: addMs(at, ms(30_000)), owner });
  const settle = async (settlement: Settlement, at = now) =>
    await broker.work.settle({ queue, owner, settlements: ended([settlement], runTaken(at)), now: at });

  describe('is not affected by later changes to:', () => {
    it('a payload and headers that were enqueued', async () => {
      const payload = Buffer.from('before');
      const headers: Record<string, string> = { k: 'before' };
      const enqueueing = broker.enqueue.enqueue([aRequest({ payload, headers })], now);
      payload.fill('x');
      headers['k'] = 'after';
      await enqueueing;
      const [message] = (await dequeue()).messages;
      expect(Buffer.from(message?.payload ?? []).toString()).toBe('before');
      expect(message?.headers).toMatchObject({ k: 'before' });
    });

    it('a payload that was dequeued', async () => {
      await broker.enqueue.enqueue([aRequest({ payload: Buffer.from('before') })], now);
      const [message] = (await dequeue()).messages;
      message?.payload.fill(0);
      const other = aTaskMessage({ id: 'a', queue });
      await settle({ kind: 'requeue', message: other });
      expect(Buffer.from((await dequeue()).messages[0]?.payload ?? []).toString()).toBe('before');
    });

    it('a result', async () => {
      await broker.enqueue.enqueue([aRequest()], now);
      await dequeue();
      const result = Buffer.from('before');
      await broker.work.writeResult({ queue, owner, ...runTaken(now), taskId: 'a', result });
      result.fill('x');
      expect(Buffer.from(store.queue(queue).tasks.get('a')?.result ?? []).toString()).toBe('before');
    });

    it('what a server publishes', async () => {
      const queues: Record<string, number> = { q: 1 };
      const taskPayload = Buffer.from('before');
      const worker = { ...server, taskId: 'a', taskType: 't', taskPayload, queue, deadline: now };
      await broker.presence.publishServer({ server: { ...server, queues }, workers: [worker], ttl: ms(10_000), now });
      queues['q'] = 9;
      taskPayload.fill('x');
      const published = store.servers.get('h:1:s', now)?.value;
      expect(published?.server.queues).toEqual({ q: 1 });
      expect(published?.workers[0]?.taskPayload.toString()).toBe('before');
    });

    it('what a scheduler publishes', async () => {
      const taskPayload = Buffer.from('before');
      const options = ['Queue("low")'];
      const times = { nextEnqueueAt: undefined, previousEnqueueAt: undefined };
      const entry = { id: 'e', spec: '@daily', taskType: 't', taskPayload, options, ...times };
      await broker.schedules.publishSchedules({ schedulerId: 'h:1:c', schedules: [entry], ttl: ms(10_000), now });
      taskPayload.fill('x');
      options.push('MaxRetry(1)');
      const [published] = store.schedulers.get('h:1:c', now)?.value ?? [];
      expect([published?.taskPayload.toString(), published?.options]).toEqual(['before', ['Queue("low")']]);
    });
  });

  describe('drops, by its clock,', () => {
    it('a unique lock, at the end of its last second', async () => {
      const uniqueKey = `asynq:{${queue}}:unique:t:`;
      const unique = { uniqueKey, uniqueForSeconds: 60 };
      await broker.enqueue.enqueue([aRequest(unique)], now);
      await clock.advance('59999ms');
      expect(await broker.enqueue.enqueue([aRequest({ ...unique, id: 'b' })], clock.now())).toEqual(['duplicate']);
      await clock.advance('1ms');
      expect(await broker.enqueue.enqueue([aRequest({ ...unique, id: 'c' })], clock.now())).toEqual(['enqueued']);
    });

    it('a unique lock, even if only the caller’s time is later', async () => {
      const unique = { uniqueKey: `asynq:{${queue}}:unique:t:`, uniqueForSeconds: 60 };
      await broker.enqueue.enqueue([aRequest(unique)], now);
      const later = addMs(now, ms(60_000));
      expect(await broker.enqueue.enqueue([aRequest({ ...unique, id: 'b' })], later)).toEqual(['enqueued']);
    });

    it('thousands of locks that are not used again', async () => {
      for (let i = 0; i < 3_000; i += 1) {
        const unique = { uniqueKey: `asynq:{${queue}}:unique:t:${i}`, uniqueForSeconds: 1 };
        await broker.enqueue.enqueue([aRequest({ ...unique, id: `id-${i}` })], clock.now());
        clock.jump('1s');
      }
      let left = 0;
      for (let i = 0; i < 3_000; i += 1)
        if (store.locks.peek(`asynq:{${queue}}:unique:t:${i}`) !== undefined) left += 1;
      expect(left).toBeLessThan(100);
    });

    it('a server that is not published again', async () => {
      await broker.presence.publishServer({ server, workers: [], ttl: ms(10_000), now });
      await clock.advance('9999ms');
      expect(await broker.presence.listAlive(['h:1:s'])).toEqual(new Set(['h:1:s']));
      await clock.advance('1ms');
      expect(await broker.presence.listAlive(['h:1:s'])).toEqual(new Set());
    });

    it('the counters of days that are 90 days old', async () => {
      for (const day of [0, 1, 90, 91]) {
        clock.jump(epochMs(now + day * 86_400_000) - clock.now());
        await broker.enqueue.enqueue([aRequest({ id: `day-${day}` })], clock.now());
        const { messages } = await dequeue(clock.now());
        await settle({ kind: 'done', message: messages[0] ?? aTaskMessage() }, clock.now());
      }
      expect([...store.queue(queue).days.keys()]).toEqual(['2026-03-02', '2026-05-30', '2026-05-31']);
      expect(store.queue(queue).counters).toEqual({ processed: 4, failed: 0 });
    });
  });

  it('sends signals in the order of events, after the call has returned', async () => {
    const heard: string[] = [];
    await broker.presence.subscribe({
      onWake: () => heard.push('wake'),
      onDue: (_queue, dueAt) => heard.push(`due +${dueAt - now}`),
      onMaintenance: () => {},
      onCancel: (id) => heard.push(id),
      onReconnect: () => {},
    });
    const calls = [
      broker.enqueue.enqueue([aRequest({ id: 'b', place: { kind: 'scheduled', processAt: addMs(now, ms(5)) } })], now),
      broker.enqueue.enqueue([aRequest()], now),
      broker.presence.signalCancel('x'),
    ];
    expect(heard).toEqual([]);
    await Promise.all(calls);
    expect(heard).toEqual(['due +5', 'wake', 'x']);
  });

  it('answers a thousand concurrent calls as if they were sequential', async () => {
    const requests = Array.from({ length: 1_000 }, (_, i) => aRequest({ id: `id-${i % 500}` }));
    const outcomes = await Promise.all(requests.map(async (request) => await broker.enqueue.enqueue([request], now)));
    expect(outcomes.flat().filter((outcome) => outcome === 'enqueued')).toHaveLength(500);
    const given = await Promise.all(Array.from({ length: 60 }, async () => await dequeue()));
    const ids = given.flatMap(({ messages }) => messages.map(({ id }) => id));
    expect([ids.length, new Set(ids).size]).toEqual([500, 500]);
  });

  it('finds no inconsistency, because there is none', async () => {
    const request = { queues: [queue], now, cursor: undefined, confirmed: [] };
    expect(await broker.maintenance.reconcile(request)).toEqual({ cursor: undefined, suspicions: [], healed: [] });
  });

  it('refuses every call once it is closed, and none of them synchronously', async () => {
    const unsubscribe = await broker.presence.subscribe({
      onWake: () => {
        throw new Error('heard after the end');
      },
      onDue: () => {},
      onMaintenance: () => {},
      onCancel: () => {},
      onReconnect: () => {},
    });
    const other = new MemoryBroker({ store, clock });
    await broker.close();
    await other.enqueue.enqueue([aRequest({ id: 'heard' })], now);
    const message = aTaskMessage({ id: 'a', queue });
    const set = { queue, group: 'g', setId: 's' };
    const { work, maintenance, presence, schedules } = broker;
    const calls: readonly (() => Promise<unknown>)[] = [
      () => broker.open(),
      () => broker.ping(),
      () => dequeue(),
      () => work.extendLeases({ queue, owner: 'o', leases: [], leaseUntil: now }),
      () => work.writeResult({ queue, owner, ...runTaken(now), taskId: 'a', result: Buffer.alloc(0) }),
      () => work.waitForTask({ queue, timeout: ms(1), signal: new AbortController().signal }),
      () => work.isPaused(queue),
      () => maintenance.forwardDue({ queue, now, limit: 1 }),
      () => maintenance.listExpiredLeases({ queue, expiredBy: now, now, limit: 1 }),
      () => maintenance.deleteExpiredCompleted({ queue, now, limit: 1 }),
      () => maintenance.reconcile({ queues: [], now, cursor: undefined, confirmed: [] }),
      () => maintenance.listGroups(queue),
      () => maintenance.readAggregationSet({ ...set, now }),
      () => maintenance.finishAggregation({ ...set, combined: aRequest(), locks: [], now }),
      () => maintenance.returnAggregationSet(set),
      () => maintenance.deleteAggregationSet(set),
      () => maintenance.reclaimAggregationSets({ queue, now }),
      () => maintenance.collectGroup({ ...set, now, maxSize: 0, maxDelay: ms(0), gracePeriod: ms(1) }),
      () => presence.publishServer({ server, workers: [], ttl: ms(1), now }),
      () => presence.clearServer(server),
      () => presence.listAlive([]),
      () => presence.listServers(),
      () => presence.cancel({ queue, taskId: 'a', outcome: 'archive', now }),
      () => presence.signalCancel('a'),
      () => schedules.latestTicks([]),
      () => schedules.enqueueTick({ schedule: 's', tick: now, request: aRequest(), overlap: 'allow', now }),
      () => schedules.publishSchedules({ schedulerId: 'c', schedules: [], ttl: ms(1), now }),
      () => schedules.clearSchedules('c'),
      () => schedules.recordEvent({ scheduleId: 'e', event: { taskId: 'a', enqueuedAt: now }, ttl: ms(1) }),
    ];
    for (const call of calls) await expect(call()).rejects.toBeInstanceOf(InvalidStateError);
    const settlement = { kind: 'requeue', message } as const;
    const outcomes = [
      ...(await broker.enqueue.enqueue([aRequest()], now)),
      ...(await settle(settlement)),
      ...(await maintenance.recover(queue, [{ settlement, leaseSeconds: 1 }], now)),
    ];
    expect(outcomes.map((outcome) => outcome instanceof InvalidStateError)).toEqual([true, true, true]);
    await unsubscribe();
    expect([...store.queue(queue).tasks.keys()]).toEqual(['heard']);
  });
});
