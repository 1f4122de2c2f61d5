import { epochMs } from '../../lib/model/time/duration.js';
import { noon, noonSeconds, SeededQueue } from './seeded-queue.js';

describe('deleting completed tasks', () => {
  let tasks: SeededQueue;
  let other: SeededQueue;
  beforeEach(() => {
    tasks = SeededQueue.open();
    other = SeededQueue.open();
  });
  afterEach(async () => {
    await tasks.close();
    await other.close();
  });

  const expire = async (limit = 100, now: number = noon) =>
    await tasks.maintenance.deleteExpiredCompleted({ queue: tasks.queue, now: epochMs(now), limit });

  it('P-75 S-103 deletes tasks whose retention has ended, hash and result, and keeps the others', async () => {
    await tasks.given(
      { id: 'long-ago', state: 'completed', score: noonSeconds - 500, fields: { result: 'r' } },
      { id: 'now', state: 'completed', score: noonSeconds },
      { id: 'later', state: 'completed', score: noonSeconds + 1 },
      { id: 'archived', state: 'archived', score: 1 },
    );
    await other.given({ id: 'theirs', state: 'completed', score: 1 });
    expect(await expire(100, noon + 999)).toBe(2);
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix}*`)).toHaveLength(2);
    expect(await tasks.redis.zrange(tasks.keys.completed, 0, '-1')).toEqual(['later']);
    expect(await tasks.placesOf('archived')).toEqual(['archived']);
    expect(await other.placesOf('theirs')).toEqual(['completed']);
    expect(await expire()).toBe(0);
  });

  it('deletes the oldest first and no more than asked for', async () => {
    await tasks.given(
      ...[5, 3, 9].map((age) => ({ id: `t${age}`, state: 'completed' as const, score: noonSeconds - age })),
    );
    expect(await expire(2)).toBe(2);
    expect(await tasks.redis.zrange(tasks.keys.completed, 0, '-1')).toEqual(['t3']);
  });

  it('S-104 deletes 20,000 expired tasks, a bounded number at a time', async () => {
    for (let start = 0; start < 20_000; start += 4_000) {
      await tasks.given(
        ...Array.from({ length: 4_000 }, (_, i) => ({ id: `t${start + i}`, state: 'completed' as const, score: 1 })),
      );
    }
    for (let call = 0; call < 20; call++) expect(await expire(50_000)).toBe(1_000);
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix.slice(0, -2)}*`)).toEqual([]);
  });

  it('keeps a task whose id was taken again after its completed one had vanished', async () => {
    await tasks.given({ id: 'task', places: [tasks.keys.pending, tasks.keys.completed] });
    expect(await expire()).toBe(1);
    expect(await tasks.placesOf('task')).toEqual(['pending']);
    expect(await tasks.hash('task')).toMatchObject({ state: 'pending' });
  });

  it('drops an id without a task', async () => {
    await tasks.redis.zadd(tasks.keys.completed, 1, 'gone');
    expect(await expire()).toBe(1);
    expect(await tasks.placesOf('gone')).toEqual([]);
  });
});
