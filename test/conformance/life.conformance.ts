import { AsynqError } from '../../lib/model/errors/asynq-error.js';
import type { Availability } from '../../lib/model/broker/broker.js';
import { ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { after, now } from './task-words.js';

export const brokerLife = chapter('the life of a broker', (it) => {
  it('opens any number of times and answers', async (tasks) => {
    const broker = tasks.anotherBroker();
    await Promise.all([broker.open(), broker.open()]);
    await broker.open();
    await broker.ping();
    expect(broker.isAvailable()).toBe(true);
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
    const request = { queue, limit: 1, now, leaseUntil: after(30_000), owner: 'h:1:s' };
    await expect(broker.ping()).rejects.toBeInstanceOf(AsynqError);
    await expect(broker.work.dequeue(request)).rejects.toBeInstanceOf(AsynqError);
    await expect(broker.work.isPaused(queue)).rejects.toBeInstanceOf(AsynqError);
    await expect(broker.maintenance.listGroups(queue)).rejects.toBeInstanceOf(AsynqError);
    await expect(broker.maintenance.forwardDue({ queue, now, limit: 1 })).rejects.toBeInstanceOf(AsynqError);
    await expect(broker.presence.signalCancel('a')).rejects.toBeInstanceOf(AsynqError);
    expect(broker.isAvailable()).toBe(false);
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
