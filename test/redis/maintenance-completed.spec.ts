import { noon, SeededQueue } from './seeded-queue.js';

describe('deleting completed tasks', () => {
  it('S-104 deletes 20,000 expired tasks, a bounded number at a time', async () => {
    const tasks = SeededQueue.open();
    for (let start = 0; start < 20_000; start += 4_000) {
      await tasks.given(
        ...Array.from({ length: 4_000 }, (_, i) => ({ id: `t${start + i}`, state: 'completed' as const, score: 1 })),
      );
    }
    const request = { queue: tasks.queue, now: noon, limit: 50_000 };
    for (let call = 0; call < 80; call++) {
      expect(await tasks.maintenance.deleteExpiredCompleted(request)).toBe(250);
    }
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix.slice(0, -2)}*`)).toEqual([]);
    await tasks.close();
  });
});
