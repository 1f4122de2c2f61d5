import type { Settlement } from '../../lib/model/broker/work.contract.js';
import { epochMs } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { ids, now, nowSeconds, sharp } from './task-words.js';

export const expiringCompleted = chapter('deleting completed tasks', (it) => {
  const expire = async (tasks: QueueUnderTest, limit = 100, at: number = sharp) =>
    await tasks.broker.maintenance.deleteExpiredCompleted({ queue: tasks.queue, now: epochMs(at), limit });
  /** Completed tasks by id, with the seconds since their retention ended. */
  const completed = async (tasks: QueueUnderTest, endedAgo: Readonly<Record<string, number>>): Promise<void> => {
    const messages = await tasks.running(...Object.keys(endedAgo).map((id) => ({ id, retentionSeconds: 60 })));
    const settlements = messages.map((message): Settlement => {
      const expiresAt = epochMs(sharp - (endedAgo[message.id] ?? 0) * 1_000);
      return { kind: 'complete', message, expiresAt, result: Buffer.from('r') };
    });
    await tasks.settle(...settlements);
  };

  it('P-75 S-103 deletes tasks whose retention has ended, with all their data, and keeps the others', async (tasks) => {
    const other = await tasks.sibling();
    await completed(other, { theirs: 500 });
    await tasks.settleAt(epochMs(sharp - 86_400_000), {
      kind: 'archive',
      message: await tasks.one({ id: 'archived' }),
    });
    await completed(tasks, { 'long-ago': 500, now: 0, later: -1 });
    expect(await expire(tasks, 100, sharp + 999)).toBe(2);
    expect(await tasks.probe.taskIds()).toEqual(['archived', 'later']);
    expect(await tasks.idsIn('completed')).toEqual(['later']);
    expect(await tasks.placesOf('archived')).toEqual(['archived']);
    expect(await other.placesOf('theirs')).toEqual(['completed']);
    expect(await expire(tasks)).toBe(0);
  });

  it('frees the id of a task that it deletes', async (tasks) => {
    await completed(tasks, { a: 1 });
    expect(await tasks.enqueue({ id: 'a' })).toEqual(['id-conflict']);
    await expire(tasks);
    expect(await tasks.enqueue({ id: 'a' })).toEqual(['enqueued']);
  });

  it('deletes the oldest first, up to the limit', async (tasks) => {
    await completed(tasks, { t5: 5, t3: 3, t9: 9 });
    expect(await expire(tasks, 2)).toBe(2);
    expect(await tasks.idsIn('completed')).toEqual(['t3']);
  });

  it('S-104 deletes thousands of expired tasks, a bounded number at a time', async (tasks) => {
    for (let i = 0; i < 3; i++) {
      await completed(tasks, Object.fromEntries(ids(1_000).map((id) => [`${i}-${id}`, 5])));
    }
    for (let call = 0; call < 12; call++) expect(await expire(tasks, 50_000)).toBe(250);
    expect(await expire(tasks, 50_000)).toBe(0);
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  it('keeps a task whose id was used again after the completed one had vanished', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    await tasks.probe.putIn('completed', ['a'], nowSeconds);
    expect(await expire(tasks)).toBe(1);
    expect(await tasks.placesOf('a')).toEqual(['pending']);
    expect(await tasks.stateOf('a')).toBe('pending');
  });

  it('drops an id without a task', async (tasks) => {
    await tasks.probe.putIn('completed', ['gone'], 1);
    expect(await expire(tasks)).toBe(1);
    expect(await tasks.placesOf('gone')).toEqual([]);
  });

  it('counts nothing', async (tasks) => {
    await completed(tasks, { a: 5 });
    const before = await tasks.probe.counters(now);
    await expire(tasks);
    expect(await tasks.probe.counters(now)).toEqual(before);
  });
});
