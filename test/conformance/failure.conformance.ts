import type { Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { nothingCounted } from './queue-under-test.js';
import { after, ids, later, now, nowSeconds } from './task-words.js';

const failed = { errorMessage: 'boom', lastFailedAtSeconds: nowSeconds } as const;
const retry = (message: TaskMessage, counts: 'as-failure' | 'not' = 'as-failure', delay = 29_750): Settlement => ({
  kind: 'retry',
  message: { ...message, ...failed, retried: message.retried + (counts === 'not' ? 0 : 1) },
  retryAt: after(delay),
  counts,
});

export const retrying = chapter('settling failure: retry', (it) => {
  it('P-78 puts a retried task into the retry set, and nowhere else', async (tasks) => {
    expect(await tasks.settle(retry(await tasks.one()))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['retry']);
    expect(await tasks.probe.secondOf('retry', 'a')).toBe(nowSeconds + 30);
    expect(await tasks.task('a')).toMatchObject({ state: 'retry', owner: undefined, pendingSince: undefined });
  });

  it('P-78 rounds its due time up to a second for other programs and keeps it exactly for ours', async (tasks) => {
    await tasks.settle(retry(await tasks.one(), 'as-failure', 10_500));
    expect(await tasks.probe.secondOf('retry', 'a')).toBe(nowSeconds + 11);
    expect(await tasks.probe.dueAt('a')).toBe(now + 10_500);
  });

  it('P-79 writes retried, error and time into the record, and changes nothing else', async (tasks) => {
    const message = await tasks.one({ headers: { k: 'v' }, retried: 2, payload: Buffer.from([0xff]) });
    await tasks.settle(retry(message));
    expect(await tasks.stored('a')).toEqual({ ...message, ...failed, retried: 3 });
  });

  it('P-12 stores an error text that is not valid Unicode as valid text', async (tasks) => {
    const message = await tasks.one();
    await tasks.settle({ ...retry(message), message: { ...message, errorMessage: 'half \ud83d of it' } });
    expect((await tasks.stored('a')).errorMessage).toBe('half \ufffd of it');
  });

  it('P-80 counts a failure in all four counters', async (tasks) => {
    await tasks.settle(...(await tasks.running({ id: 'a' }, { id: 'b' })).map((message) => retry(message)));
    expect(await tasks.counters()).toEqual({ processed: 2, failed: 2, processedToday: 2, failedToday: 2 });
  });

  it('P-81 counts nothing for an error that is not a failure', async (tasks) => {
    const [first, second] = await tasks.running({ id: 'a' }, { id: 'b' });
    await tasks.settle(retry(first ?? tasks.message(), 'not'));
    expect(await tasks.counters()).toEqual(nothingCounted);
    expect(await tasks.stored('a')).toMatchObject({ ...failed, retried: 0 });
    await tasks.settle(retry(second ?? tasks.message()));
    expect(await tasks.counters()).toMatchObject({ processed: 1, failed: 1 });
  });

  it('P-82 keeps lock and result of a retried task', async (tasks) => {
    const message = await tasks.one({ uniqueKey: tasks.lockName(), uniqueForSeconds: 60 });
    await tasks.writeResult('a', Buffer.from('r'));
    await tasks.probe.setLock(tasks.lockName(), { holder: 'a', ttl: ms(17_000) });
    await tasks.settle(retry(message));
    const task = await tasks.task('a');
    expect([task.lock, Buffer.from(task.result ?? []).toString()]).toEqual([tasks.lockName(), 'r']);
    const lock = await tasks.probe.lock(tasks.lockName());
    expect(lock?.holder).toBe('a');
    expect(lock?.ttl).toBeLessThanOrEqual(17_000);
  });

  it('signals a retry that becomes the earliest due task', async (tasks) => {
    const [first, second, third] = await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
    const heard = await tasks.listen();
    await tasks.settle(retry(first ?? tasks.message(), 'not', 20_000));
    await tasks.settle(retry(second ?? tasks.message(), 'not', 30_000));
    await tasks.settle(retry(third ?? tasks.message(), 'not', 10_000));
    expect(await heard.everything()).toEqual(['due +20000', 'due +10000']);
  });
});

export const requeueing = chapter('giving tasks back', (it) => {
  it('P-90 P-91 puts a requeued task back at the head of its queue, unchanged', async (tasks) => {
    const message = await tasks.one({ uniqueKey: tasks.lockName(), uniqueForSeconds: 60, headers: { k: 'v' } });
    await tasks.enqueue({ id: 'b' });
    const { bytes } = await tasks.task('a');
    expect(await tasks.settle({ kind: 'requeue', message: { ...message, errorMessage: 'x' } })).toEqual(['settled']);
    expect(await tasks.idsIn('pending')).toEqual(['a', 'b']);
    expect(await tasks.placesOf('a')).toEqual(['pending']);
    const task = await tasks.task('a');
    expect(Buffer.compare(task.bytes, bytes)).toBe(0);
    expect(task).toMatchObject({ state: 'pending', pendingSince: now, lock: tasks.lockName(), owner: undefined });
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('a');
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  it('P-90 dequeues the first of several requeued tasks first, however many they are', async (tasks) => {
    const messages = await tasks.running(...ids(1_000).map((id) => ({ id })));
    await tasks.enqueue({ id: 'behind' });
    await tasks.settle(...messages.map((message) => ({ kind: 'requeue' as const, message })));
    expect((await tasks.dequeue(1_000)).messages.map(({ id }) => id)).toEqual(ids(1_000));
    expect((await tasks.dequeue()).messages.map(({ id }) => id)).toEqual(['behind']);
  });

  it('wakes workers for a requeued task when the queue was empty, and only then', async (tasks) => {
    const [first, second] = await tasks.running({ id: 'a' }, { id: 'b' });
    const heard = await tasks.listen();
    await tasks.settle({ kind: 'requeue', message: first ?? tasks.message() });
    await tasks.settle({ kind: 'requeue', message: second ?? tasks.message() });
    expect(await heard.everything()).toEqual(['wake']);
  });

  it('snoozes into the scheduled set and counts nothing', async (tasks) => {
    const message = await tasks.one({ uniqueKey: tasks.lockName(), uniqueForSeconds: 60 });
    expect(await tasks.settle({ kind: 'snooze', message, until: after(4_000) })).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['scheduled']);
    expect(await tasks.probe.secondOf('scheduled', 'a')).toBe(nowSeconds + 5);
    expect(await tasks.probe.dueAt('a')).toBe(now + 4_000);
    expect(await tasks.task('a')).toMatchObject({ state: 'scheduled', lock: tasks.lockName(), owner: undefined });
    expect(await tasks.stored('a')).toEqual(message);
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  it('signals a snoozed task that becomes the earliest due one', async (tasks) => {
    await tasks.enqueue({ id: 'a' }, later('b', after(9_000)));
    const { messages } = await tasks.dequeue();
    const heard = await tasks.listen();
    await tasks.settle(...messages.map((message) => ({ kind: 'snooze' as const, message, until: after(4_000) })));
    expect(await heard.everything()).toEqual(['due +4000']);
  });

  it('deletes a canceled task with its lock, and counts nothing', async (tasks) => {
    const locked = { uniqueKey: tasks.lockName(), uniqueForSeconds: 60 };
    const messages = await tasks.running({ id: 'a', ...locked }, { id: 'b' });
    await tasks.settle(...messages.map((message) => ({ kind: 'delete' as const, message })));
    expect(await tasks.probe.lock(tasks.lockName())).toBeUndefined();
    expect(await tasks.probe.taskIds()).toEqual([]);
    expect(await tasks.placesOf('a')).toEqual([]);
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  it('deletes a canceled task and leaves a lock that another holds', async (tasks) => {
    const message = await tasks.one({ uniqueKey: tasks.lockName(), uniqueForSeconds: 60 });
    await tasks.probe.setLock(tasks.lockName(), { holder: 'newer', ttl: ms(60_000) });
    await tasks.settle({ kind: 'delete', message });
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('newer');
  });
});
