import { epochMs } from '../../lib/model/time/duration.js';
import { globalKeys, groupKey } from '../../lib/redis/keys.js';
import { until } from '../support/until.js';
import { noon, noonSeconds, SeededQueue } from './seeded-queue.js';

describe('forwarding due tasks', () => {
  let tasks: SeededQueue;
  beforeEach(() => {
    tasks = SeededQueue.open();
  });
  afterEach(async () => await tasks.close());

  const forward = async (now: number = noon, limit = 100) =>
    await tasks.maintenance.forwardDue({ queue: tasks.queue, now: epochMs(now), limit });

  it('P-46 S-105 S-106 moves what is due now, of both sets, and leaves the rest', async () => {
    await tasks.given(
      { id: 'past', state: 'scheduled', score: noonSeconds - 5 },
      { id: 'now', state: 'retry', score: noonSeconds },
      { id: 'later', state: 'scheduled', score: noonSeconds + 1 },
      { id: 'later-retry', state: 'retry', score: noonSeconds + 7 },
    );
    expect(await forward()).toEqual({ forwarded: 2, more: false, nextDueAt: noon + 1_000 });
    expect(await tasks.placesOf('past')).toEqual(['pending']);
    expect(await tasks.placesOf('now')).toEqual(['pending']);
    expect(await tasks.placesOf('later')).toEqual(['scheduled']);
    expect(await tasks.placesOf('later-retry')).toEqual(['retry']);
  });

  it('P-44 P-47 makes a task pending as of now, to the left of those that wait, and keeps the rest of it', async () => {
    await tasks.given({ id: 'waiting' }, { id: 'due', state: 'retry', fields: { result: 'r', unique_key: 'lock' } });
    const before = await tasks.hash('due');
    await forward(noon + 1);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['due', 'waiting']);
    expect(await tasks.hash('due')).toEqual({ ...before, state: 'pending', pending_since: `${noon + 1}000000` });
  });

  it('P-48 puts the earliest due right-most, whichever set and precision it is of', async () => {
    await tasks.given(
      { id: 'e', state: 'scheduled', score: noonSeconds },
      { id: 'a', state: 'retry', score: noonSeconds - 9 },
      { id: 'd', state: 'retry', score: noonSeconds, exactDueAt: noon - 1 },
      { id: 'c', state: 'scheduled', score: noonSeconds, exactDueAt: noon - 999 },
      { id: 'b', state: 'scheduled', score: noonSeconds - 1 },
    );
    expect(await forward()).toMatchObject({ forwarded: 5, nextDueAt: undefined });
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['e', 'd', 'c', 'b', 'a']);
    expect(await tasks.redis.exists(tasks.keys.due)).toBe(0);
  });

  it('P-48 takes the earliest by milliseconds when a second holds more than the limit', async () => {
    await tasks.given(
      ...Array.from({ length: 30 }, (_, i) => ({
        id: `t${String(i).padStart(2, '0')}`,
        state: 'scheduled' as const,
        score: noonSeconds,
        exactDueAt: noon - 1 - i * 10,
      })),
      { id: 'a-whole', state: 'scheduled', score: noonSeconds },
    );
    expect(await forward(noon, 2)).toEqual({ forwarded: 2, more: true, nextDueAt: noon - 1 - 270 });
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['t28', 't29']);
  });

  it('Q-25 does not move a task before its millisecond, nor after it', async () => {
    await tasks.given({ id: 'task', state: 'scheduled', score: noonSeconds + 1, exactDueAt: noon + 250 });
    expect(await forward(noon + 249)).toEqual({ forwarded: 0, more: false, nextDueAt: noon + 250 });
    expect(await forward(noon + 250)).toEqual({ forwarded: 1, more: false, nextDueAt: undefined });
    expect(await tasks.placesOf('task')).toEqual(['pending']);
  });

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

  it('P-50 P-51 S-109 Q-10 puts a task of a group into its group and lists the group', async () => {
    await tasks.given({
      id: 'task',
      state: 'retry',
      group: 'g:1',
      places: [tasks.keys.retry],
      score: noonSeconds - 60,
    });
    expect(await forward(noon + 999)).toMatchObject({ forwarded: 1 });
    expect(await tasks.placesOf('task')).toEqual(['g:g:1']);
    expect(await tasks.redis.zscore(groupKey(tasks.keys, 'g:1'), 'task')).toBe(String(noonSeconds));
    expect(await tasks.redis.smembers(tasks.keys.groups)).toEqual(['g:1']);
    expect((await tasks.hash('task'))['state']).toBe('aggregating');
  });

  it('P-52 takes an empty group field for no group', async () => {
    await tasks.given({ id: 'task', state: 'scheduled', fields: { group: '' } });
    await forward();
    expect(await tasks.placesOf('task')).toEqual(['pending']);
  });

  it('P-53 runs a delayed task alone when only its message names a group', async () => {
    await tasks.given({ id: 'task', state: 'scheduled', message: { group: 'g' } });
    await forward();
    expect(await tasks.placesOf('task')).toEqual(['pending']);
    expect(await tasks.redis.exists(tasks.keys.groups)).toBe(0);
  });

  it('P-54 Q-30 forwards while the queue is paused', async () => {
    await tasks.redis.set(tasks.keys.paused, '1');
    await tasks.given({ id: 'task', state: 'scheduled' });
    expect(await forward()).toMatchObject({ forwarded: 1 });
  });

  it('Q-21 drops an id without a task and makes no stub', async () => {
    await tasks.redis.zadd(tasks.keys.scheduled, noonSeconds, 'gone');
    await tasks.redis.zadd(tasks.keys.retry, noonSeconds, 'odd');
    await tasks.redis.set(`${tasks.keys.taskPrefix}odd`, 'no hash');
    await tasks.given({ id: 'task', state: 'scheduled' });
    expect(await forward()).toEqual({ forwarded: 1, more: false, nextDueAt: undefined });
    expect(await tasks.placesOf('gone')).toEqual([]);
    expect(await tasks.placesOf('odd')).toEqual([]);
    expect(await tasks.hash('gone')).toEqual({});
  });

  it('P-49 S-107 moves 10,000 due tasks, a bounded number at a time, in order', async () => {
    const ids = Array.from({ length: 10_000 }, (_, i) => `t${String(i).padStart(5, '0')}`);
    for (let start = 0; start < ids.length; start += 2_000) {
      const some = ids.slice(start, start + 2_000);
      await tasks.given(
        ...some.map((id, i) => ({
          id,
          state: i % 2 === 0 ? ('scheduled' as const) : ('retry' as const),
          score: noonSeconds - 10_000 + start + i,
        })),
      );
    }
    let calls = 0;
    let forwarded = 0;
    for (let more = true; more; calls++) {
      const result = await forward(noon, 1_000);
      expect(result.forwarded).toBe(1_000);
      forwarded += result.forwarded;
      more = result.more;
    }
    expect([calls, forwarded]).toEqual([10, 10_000]);
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(ids.toReversed());
  });

  it('applies the consequence of a cancellation that a worker of another kind turned into a retry', async () => {
    const lock = `${tasks.keys.taskPrefix.slice(0, -2)}unique:email:send:`;
    await tasks.redis.set(lock, 'delete');
    await tasks.given(
      { id: 'archive', state: 'retry', fields: { 'x:cancel': 'archive' } },
      { id: 'delete', state: 'retry', fields: { 'x:cancel': 'delete', unique_key: lock } },
      { id: 'retry', state: 'retry', fields: { 'x:cancel': 'retry' } },
    );
    expect(await forward(noon + 999)).toMatchObject({ forwarded: 1 });
    expect(await tasks.placesOf('archive')).toEqual(['archived']);
    expect(await tasks.redis.zscore(tasks.keys.archived, 'archive')).toBe(String(noonSeconds));
    expect(await tasks.hash('archive')).toMatchObject({ state: 'archived' });
    expect(await tasks.hash('archive')).not.toHaveProperty('x:cancel');
    expect(await tasks.hash('delete')).toEqual({});
    expect(await tasks.redis.get(lock)).toBeNull();
    expect(await tasks.placesOf('retry')).toEqual(['pending']);
    expect(await tasks.hash('retry')).not.toHaveProperty('x:cancel');
    expect(await tasks.redis.exists(tasks.keys.failed)).toBe(0);
  });

  it('wakes workers when the queue was empty, and only then', async () => {
    const heard: string[] = [];
    const listener = tasks.redis.duplicate();
    await listener.subscribe(globalKeys.wakeChannel);
    listener.on('message', (_channel, text) => text.startsWith(tasks.queue) && heard.push(text));
    const mark = async (text: string) => await tasks.redis.publish(globalKeys.wakeChannel, `${tasks.queue}: ${text}`);
    await tasks.given({ id: 'first', state: 'scheduled' });
    await forward();
    await mark('the first is pending');
    await tasks.given({ id: 'second', state: 'scheduled' });
    await forward();
    await mark('both are pending');
    await until('the end is heard', () => heard.includes(`${tasks.queue}: both are pending`));
    listener.disconnect();
    expect(heard).toEqual([tasks.queue, `${tasks.queue}: the first is pending`, `${tasks.queue}: both are pending`]);
  });
});
