import type { Broker } from '../../lib/model/broker/broker.js';
import { ms } from '../../lib/model/time/duration.js';
import { eventLoopTurns } from '../support/virtual-clock.js';
import { chapter } from './chapter.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, ended, later, now, owner } from './task-words.js';

export const waiting = chapter('waiting for a task', (it) => {
  const waits = new WeakMap<QueueUnderTest, Broker>();
  // On a broker of the statement's own: one lends few connections to wait on, and to few queues in a second.
  const wait = async (tasks: QueueUnderTest, options: { timeout?: number; signal?: AbortSignal } = {}) => {
    const broker = waits.get(tasks) ?? tasks.anotherBroker();
    waits.set(tasks, broker);
    return await broker.work.waitForTask({
      queue: tasks.queue,
      timeout: ms(options.timeout ?? 20_000),
      signal: options.signal ?? new AbortController().signal,
    });
  };

  it('ends at once when there is a task, and leaves the queue unchanged', async (tasks) => {
    await tasks.enqueue({ id: 'a' }, { id: 'b' });
    expect(await wait(tasks)).toBe('task');
    expect(await wait(tasks)).toBe('task');
    expect(await tasks.idsIn('pending')).toEqual(['a', 'b']);
    expect(await tasks.task('a')).toMatchObject({ state: 'pending', owner: undefined });
  });

  it('ends as soon as another process enqueues a task', async (tasks) => {
    const waited = wait(tasks);
    await eventLoopTurns(5);
    await tasks.other.enqueue.enqueue([tasks.request({ id: 'a' })], now);
    expect(await waited).toBe('task');
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('ends as soon as a task is forwarded', async (tasks) => {
    await tasks.enqueue({ id: 'a', place: { kind: 'scheduled', processAt: after(1) } });
    const waited = wait(tasks);
    await eventLoopTurns(5);
    await tasks.other.maintenance.forwardDue({ queue: tasks.queue, now: after(1), limit: 1 });
    expect(await waited).toBe('task');
  });

  it('ends as soon as a task is put back', async (tasks) => {
    const message = await tasks.one();
    const waited = wait(tasks);
    await eventLoopTurns(5);
    const settlements = ended([{ kind: 'requeue', message }]);
    await tasks.other.work.settle({ queue: tasks.queue, owner, settlements, now });
    expect(await waited).toBe('task');
  });

  it('ends with none when the time is up', async (tasks) => {
    expect(await wait(tasks, { timeout: 20 })).toBe('none');
  });

  it('ends with none when aborted, now or before', async (tasks) => {
    const controller = new AbortController();
    const waited = wait(tasks, { signal: controller.signal });
    await eventLoopTurns(5);
    controller.abort();
    expect(await waited).toBe('none');
    expect(await wait(tasks, { signal: controller.signal })).toBe('none');
  });

  it('ignores other queues', async (tasks) => {
    const waited = wait(tasks, { timeout: 50 });
    await (await tasks.sibling()).enqueue({ id: 'a' });
    expect(await waited).toBe('none');
  });

  it('P-58 also ends for a task of a paused queue', async (tasks) => {
    await tasks.probe.pause();
    await tasks.enqueue({ id: 'a' });
    expect(await wait(tasks)).toBe('task');
  });
});

export const findingTasks = chapter('finding queues with tasks', (it) => {
  const found = async (tasks: QueueUnderTest, queues: readonly string[]): Promise<readonly string[]> =>
    (await tasks.broker.work.findWithTasks(queues)).map((queue) => queue.slice(tasks.queue.length));

  it('returns which of many queues have pending tasks', async (tasks) => {
    const queues = Array.from({ length: 250 }, (_, at) => `${tasks.queue}-${at}`);
    expect(await found(tasks, queues)).toEqual([]);
    for (const at of [3, 99, 100, 249]) await (await tasks.sibling(`${tasks.queue}-${at}`)).enqueue({ id: 'a' });
    expect(await found(tasks, queues)).toEqual(['-3', '-99', '-100', '-249']);
    expect(await found(tasks, queues.slice(4, 99))).toEqual([]);
    expect(await found(tasks, [])).toEqual([]);
  });

  it('returns paused queues, but none whose tasks are only delayed or running', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    await tasks.dequeue();
    await tasks.enqueue(later('b', after(60_000)));
    expect(await found(tasks, [tasks.queue])).toEqual([]);
    await tasks.probe.pause();
    await tasks.enqueue({ id: 'c' });
    expect(await found(tasks, [tasks.queue])).toEqual(['']);
  });
});
