import { chapter } from './chapter.js';
import { after, ids, later, now, nowSeconds } from './task-words.js';

export const enqueueingLater = chapter('enqueueing to run later', (it) => {
  it('P-43 P-44 P-20 waits in the scheduled set with its due second', async (tasks) => {
    expect(await tasks.enqueue(later('a', after(59_750)))).toEqual(['enqueued']);
    expect(await tasks.task('a')).toMatchObject({ state: 'scheduled', pendingSince: undefined, group: undefined });
    expect(await tasks.probe.secondOf('scheduled', 'a')).toBe(nowSeconds + 60);
    expect(await tasks.placesOf('a')).toEqual(['scheduled']);
    expect(await tasks.probe.isKnown()).toBe(true);
  });

  it('P-43 rounds a fraction of a second up for other programs and keeps it for ours', async (tasks) => {
    await tasks.enqueue(later('a', after(10_000)));
    expect(await tasks.probe.secondOf('scheduled', 'a')).toBe(nowSeconds + 11);
    expect(await tasks.probe.dueAt('a')).toBe(now + 10_000);
  });

  it('takes a time in the past', async (tasks) => {
    await tasks.enqueue(later('a', after(-90_250)));
    expect(await tasks.placesOf('a')).toEqual(['scheduled']);
    expect(await tasks.probe.secondOf('scheduled', 'a')).toBe(nowSeconds - 90);
  });

  it('P-53 runs a task with a group and a delay alone', async (tasks) => {
    await tasks.enqueue(later('a', after(5_000), { group: 'g' }));
    expect(await tasks.task('a')).toMatchObject({ state: 'scheduled', group: undefined });
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual([]);
    expect((await tasks.stored('a')).group).toBe('g');
  });

  it('is not dequeued before it was forwarded', async (tasks) => {
    await tasks.enqueue(later('a', after(-5_000)));
    expect(await tasks.dequeue()).toEqual({ messages: [], undecodable: [], left: 'drained' });
  });

  it('stores hundreds of tasks in one call', async (tasks) => {
    const wanted = ids(1_200).map((id, i) => later(id, after(1_000 + i)));
    expect(new Set(await tasks.enqueue(...wanted))).toEqual(new Set(['enqueued']));
    expect(await tasks.idsIn('scheduled')).toHaveLength(1_200);
    expect(await tasks.probe.dueAt('id-1199')).toBe(now + 2_199);
  });

  it('signals a task that becomes the earliest due one, and no other', async (tasks) => {
    const heard = await tasks.listen();
    await tasks.enqueue(later('a', after(60_000)));
    await tasks.enqueue(later('b', after(60_100)));
    await tasks.enqueue(later('c', after(60_000)));
    await tasks.enqueue(later('d', after(59_999)));
    await tasks.enqueue(later('e', after(90_000)), later('f', after(7_000)), later('g', after(8_000)));
    expect(await heard.everything()).toEqual(['due +60000', 'due +59999', 'due +7000']);
  });

  it('compares it with due times in whole seconds, and with retries', async (tasks) => {
    await tasks.settle({ kind: 'retry', message: await tasks.one(), retryAt: after(29_750), counts: 'not' });
    const heard = await tasks.listen();
    await tasks.enqueue(later('b', after(30_000)));
    await tasks.enqueue(later('c', after(29_750)));
    await tasks.enqueue(later('d', after(29_500)));
    await tasks.enqueue(later('e', after(28_750)));
    expect(await heard.everything()).toEqual(['due +29500', 'due +28750']);
  });

  it('signals a task in a queue that was empty, and no other', async (tasks) => {
    const heard = await tasks.listen();
    await tasks.enqueue({ id: 'a' });
    await tasks.enqueue({ id: 'b' });
    await tasks.enqueue({ id: 'a' });
    expect(await heard.everything()).toEqual(['wake']);
    await tasks.dequeue(2);
    await tasks.enqueue(later('c', after(1)), { id: 'd' }, { id: 'e' });
    expect((await heard.everything()).toSorted()).toEqual(['due +1', 'wake']);
  });

  it('sends no signal for a task that goes into a group', async (tasks) => {
    const heard = await tasks.listen();
    await tasks.enqueue({ id: 'a', group: 'g', place: { kind: 'aggregating' } });
    expect(await heard.everything()).toEqual([]);
  });
});
