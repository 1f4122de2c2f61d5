import { epochMs } from '../../lib/model/time/duration.js';
import { noon, noonSeconds, SeededQueue } from './seeded-queue.js';

describe('forwarding due tasks', () => {
  let tasks: SeededQueue;
  beforeEach(() => {
    tasks = SeededQueue.open();
  });
  afterEach(async () => await tasks.close());

  const forward = async (now: number = noon, limit = 100) =>
    await tasks.maintenance.forwardDue({ queue: tasks.queue, now: epochMs(now), limit });

  it('moves a task whose score lies between two seconds, as no known client writes it', async () => {
    await tasks.given({ id: 'task', state: 'scheduled', score: noonSeconds + 0.5 });
    expect(await forward(noon + 499)).toEqual({ forwarded: 0, more: false, nextDueAt: noon + 500 });
    expect(await forward(noon + 500)).toEqual({ forwarded: 1, more: false, nextDueAt: undefined });
  });

  it('drops an exact time that belongs to an earlier wait of the task', async () => {
    await tasks.given(
      { id: 'moved', state: 'retry', score: noonSeconds + 90, exactDueAt: noon - 60_500 },
      ...Array.from({ length: 40 }, (_, i) => ({ id: `gone-${i}`, exactDueAt: noon + i })),
      { id: 'real', state: 'scheduled' as const, score: noonSeconds + 2, exactDueAt: noon + 1_500 },
    );
    let result = await forward();
    expect(result.forwarded).toBe(0);
    while (result.nextDueAt !== undefined && result.nextDueAt < noon + 1_500) result = await forward(result.nextDueAt);
    expect(result).toEqual({ forwarded: 0, more: false, nextDueAt: noon + 1_500 });
    expect(await tasks.redis.zrange(tasks.keys.due, 0, '-1')).toEqual(['real']);
    expect(await tasks.placesOf('moved')).toEqual(['retry']);
  });

  it('P-52 takes an empty group field for no group', async () => {
    await tasks.given({ id: 'task', state: 'scheduled', fields: { group: '' } });
    await forward();
    expect(await tasks.placesOf('task')).toEqual(['pending']);
  });

  it('Q-21 drops an id without a task and creates no stub', async () => {
    await tasks.redis.zadd(tasks.keys.scheduled, noonSeconds, 'gone');
    await tasks.redis.zadd(tasks.keys.retry, noonSeconds, 'odd');
    await tasks.redis.set(`${tasks.keys.taskPrefix}odd`, 'no hash');
    await tasks.given({ id: 'task', state: 'scheduled' });
    expect(await forward()).toEqual({ forwarded: 1, more: false, nextDueAt: undefined });
    expect(await tasks.placesOf('gone')).toEqual([]);
    expect(await tasks.placesOf('odd')).toEqual([]);
    expect(await tasks.hash('gone')).toEqual({});
  });
});
