import { AsynqError } from '../../lib/model/errors/asynq-error.js';
import type { Availability } from '../../lib/model/broker/broker.js';
import { ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { after, now, owner, sharp, runTaken } from './task-words.js';

export const brokerLife = chapter('the life of a broker', (it) => {
  it('opens any number of times and answers', async (tasks) => {
    const broker = tasks.anotherBroker();
    await Promise.all([broker.open(), broker.open()]);
    await broker.open();
    await broker.ping();
    expect(broker.isAvailable()).toBe(true);
    expect(broker.describe()).toMatch(/^(?:rediss?:\/\/[^@]+|memory:.*)$/);
  });

  it('returns the time of its storage, which never goes back', async (tasks) => {
    const first = await tasks.broker.time();
    const second = await tasks.other.time();
    expect(second).toBeGreaterThanOrEqual(first);
    // Whoever keeps the storage may have another clock, but not another century or unit.
    expect(Math.abs(second - Date.now())).toBeLessThan(3_600_000);
  });

  it('closes any number of times, and leaves what is stored', async (tasks) => {
    const broker = tasks.anotherBroker();
    await broker.open();
    await broker.enqueue.enqueue([tasks.request({ id: 'a' })], now);
    await Promise.all([broker.close(), broker.close()]);
    await broker.close();
    expect(await tasks.placesOf('a')).toEqual(['pending']);
    await tasks.broker.ping();
  });

  it('closes before it was opened', async (tasks) => {
    await tasks.anotherBroker().close();
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  it('refuses every call once it is closed', async (tasks) => {
    const broker = tasks.anotherBroker();
    await broker.open();
    await broker.close();
    const { queue } = tasks;
    const { work, maintenance, presence, schedules } = broker;
    const leaseUntil = after(30_000);
    const { signal } = new AbortController();
    const set = { queue, group: 'g', setId: 's' };
    const limits = { maxSize: 0, maxDelay: ms(0), gracePeriod: ms(0) };
    const tick = { schedule: 's', tick: sharp, overlap: 'allow', request: tasks.request(), now } as const;
    const listener = {
      onCancel: () => {},
      onWake: () => {},
      onDue: () => {},
      onMaintenance: () => {},
      onReconnect: () => {},
    };
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      open: async () => await broker.open(),
      ping: async () => await broker.ping(),
      time: async () => await broker.time(),
      dequeue: async () => await work.dequeue({ queue, limit: 1, now, leaseUntil, owner }),
      extend: async () =>
        await work.extendLeases({ queue, owner, leases: [{ taskId: 'a', until: now, takenAt: now }], leaseUntil }),
      writeResult: async () =>
        await work.writeResult({ queue, owner, ...runTaken(), taskId: 'a', result: Buffer.from('r') }),
      wait: async () => await work.waitForTask({ queue, timeout: ms(20_000), signal }),
      isPaused: async () => await work.isPaused(queue),
      forward: async () => await maintenance.forwardDue({ queue, now, limit: 1 }),
      listExpired: async () => await maintenance.listExpiredLeases({ queue, expiredBy: now, now, limit: 1 }),
      expire: async () => await maintenance.deleteExpiredCompleted({ queue, now, limit: 1 }),
      reconcile: async () => await maintenance.reconcile({ queues: [queue], now, cursor: undefined, confirmed: [] }),
      listGroups: async () => await maintenance.listGroups(queue),
      collect: async () => await maintenance.collectGroup({ queue, group: 'g', now, ...limits }),
      read: async () => await maintenance.readAggregationSet({ ...set, now }),
      finish: async () => await maintenance.finishAggregation({ ...set, combined: tasks.request(), locks: [], now }),
      giveBack: async () => await maintenance.returnAggregationSet(set),
      deleteSet: async () => await maintenance.deleteAggregationSet(set),
      reclaim: async () => await maintenance.reclaimAggregationSets({ queue, now }),
      listAlive: async () => await presence.listAlive(['h:1:s']),
      listServers: async () => await presence.listServers(),
      subscribe: async () => await presence.subscribe(listener),
      cancel: async () => await presence.cancel({ queue, taskId: 'a', outcome: 'delete', now }),
      signal: async () => await presence.signalCancel('a'),
      tick: async () => await schedules.enqueueTick(tick),
      latestTicks: async () => await schedules.latestTicks([{ queue, schedule: 's' }]),
      publish: async () => await schedules.publishSchedules({ schedulerId: queue, schedules: [], ttl: ms(1_000), now }),
      clear: async () => await schedules.clearSchedules(queue),
    };
    for (const [name, call] of Object.entries(calls)) {
      const outcome = await call().then(
        () => 'answered',
        (error: unknown) => (error instanceof AsynqError ? 'refused' : error),
      );
      expect([name, outcome]).toEqual([name, 'refused']);
    }
    expect(broker.isAvailable()).toBe(false);
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  it('calls no listener once it is closed', async (tasks) => {
    const broker = tasks.anotherBroker();
    await broker.open();
    const closed = await tasks.listen(broker);
    const other = await tasks.listen();
    await broker.close();
    await tasks.enqueue({ id: 'a' });
    expect(await other.everything()).toEqual(['wake']);
    expect(closed.lines).toEqual([]);
  });

  it('ends the waits of its callers when it is closed', async (tasks) => {
    const broker = tasks.anotherBroker();
    await broker.open();
    const signal = new AbortController().signal;
    const waiting = broker.work.waitForTask({ queue: tasks.queue, timeout: ms(20_000), signal });
    const ended = waiting.then(
      (outcome) => outcome,
      (error: unknown) => (error instanceof AsynqError ? 'none' : error),
    );
    await broker.close();
    expect(await ended).toBe('none');
  });

  it('says nothing about its availability while that does not change', async (tasks) => {
    const heard: Availability[] = [];
    const stop = tasks.broker.onAvailability((availability) => heard.push(availability));
    await tasks.broker.ping();
    stop();
    expect(heard).toEqual([]);
  });
});
