import { addMs, epochMs, ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, ids, leaseSeconds, now, nowSeconds, owner } from './task-words.js';

export const extendingLeases = chapter('extending leases', (it) => {
  const held = epochMs(leaseSeconds * 1_000);
  const longer = addMs(held, ms(5_000));
  const noNews = { lost: [], canceled: [] };
  const extend = async (
    tasks: QueueUnderTest,
    taskIds: readonly string[],
    lease: { until?: number; takenAt?: number; owner?: string; leaseUntil?: number } = {},
  ) =>
    await tasks.broker.work.extendLeases({
      queue: tasks.queue,
      owner: lease.owner ?? owner,
      leases: taskIds.map((taskId) => ({
        taskId,
        until: epochMs(lease.until ?? held),
        takenAt: epochMs(lease.takenAt ?? now),
      })),
      leaseUntil: epochMs(lease.leaseUntil ?? longer),
    });

  it('P-61 moves the leases of running tasks, and of no others', async (tasks) => {
    await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
    expect(await extend(tasks, ['a', 'b'])).toEqual(noNews);
    expect(await tasks.probe.secondOf('lease', 'a')).toBe(leaseSeconds + 5);
    expect(await tasks.probe.secondOf('lease', 'b')).toBe(leaseSeconds + 5);
    expect(await tasks.probe.secondOf('lease', 'c')).toBe(leaseSeconds);
  });

  it('P-61 moves them again and again, by whole seconds', async (tasks) => {
    await tasks.one();
    await extend(tasks, ['a'], { leaseUntil: longer + 999 });
    expect(await tasks.probe.secondOf('lease', 'a')).toBe(leaseSeconds + 5);
    expect(await extend(tasks, ['a'], { until: longer, leaseUntil: longer + 10_000 })).toEqual(noNews);
    expect(await tasks.probe.secondOf('lease', 'a')).toBe(leaseSeconds + 15);
  });

  it('extends a lease that was not yet extended as its holder had asked', async (tasks) => {
    await tasks.one();
    expect(await extend(tasks, ['a'], { until: longer })).toEqual(noNews);
  });

  it('extends an expired lease if nobody has recovered the task', async (tasks) => {
    await tasks.expired(60, { id: 'a' });
    const until = now - 60_000;
    expect(await extend(tasks, ['a'], { until, takenAt: now - 90_000 })).toEqual(noNews);
    expect(await tasks.probe.secondOf('lease', 'a')).toBe(leaseSeconds + 5);
  });

  it('P-62 gives no lease to a task that has none', async (tasks) => {
    await tasks.running({ id: 'a' }, { id: 'unleased' });
    await tasks.probe.takeOut('lease', 'unleased');
    expect((await extend(tasks, ['a', 'unleased', 'gone'])).lost).toEqual(['unleased', 'gone']);
    expect(await tasks.idsIn('lease')).toEqual(['a']);
  });

  it('P-62 does not touch a lease that is longer than its holder ever asked for', async (tasks) => {
    await tasks.one();
    await extend(tasks, ['a'], { leaseUntil: held + 60_000 });
    expect((await extend(tasks, ['a'])).lost).toEqual(['a']);
    expect(await tasks.probe.secondOf('lease', 'a')).toBe(leaseSeconds + 60);
  });

  it('P-62 does not extend a task that another server has taken since', async (tasks) => {
    await tasks.settle({ kind: 'requeue', message: await tasks.one() });
    const request = { queue: tasks.queue, limit: 1, now, leaseUntil: held, owner: 'host:2:other' };
    await tasks.other.work.dequeue(request);
    expect((await extend(tasks, ['a'])).lost).toEqual(['a']);
    expect(await tasks.probe.secondOf('lease', 'a')).toBe(leaseSeconds);
  });

  it('P-62 does not extend a task that the same server has taken again', async (tasks) => {
    await tasks.settle({ kind: 'requeue', message: await tasks.one() });
    await tasks.dequeue(1, after(1_000));
    expect((await extend(tasks, ['a'], { until: longer })).lost).toEqual(['a']);
    expect(await extend(tasks, ['a'], { until: longer, takenAt: now + 1_000 })).toEqual(noNews);
  });

  it('P-62 reports a settled task as lost', async (tasks) => {
    const messages = await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
    const [a, b, c] = messages.map((message) => message);
    await tasks.settle(
      { kind: 'done', message: a ?? tasks.message() },
      { kind: 'archive', message: b ?? tasks.message() },
      { kind: 'retry', message: c ?? tasks.message(), retryAt: after(5_000), counts: 'not' },
    );
    expect((await extend(tasks, ['a', 'b', 'c'])).lost).toEqual(['a', 'b', 'c']);
    expect(await tasks.idsIn('lease')).toEqual([]);
  });

  for (const outcome of ['archive', 'delete', 'retry'] as const) {
    it(`reports tasks canceled with outcome ${outcome}, and still extends them`, async (tasks) => {
      await tasks.running({ id: 'a' }, { id: 'b' });
      expect(await tasks.cancel('b', outcome)).toBe('signaled');
      expect(await extend(tasks, ['a', 'b'])).toEqual({ lost: [], canceled: [{ taskId: 'b', outcome }] });
      expect(await tasks.probe.secondOf('lease', 'b')).toBe(leaseSeconds + 5);
    });
  }

  it('extends thousands of tasks, and none', async (tasks) => {
    expect(await extend(tasks, [])).toEqual(noNews);
    await tasks.enqueue(...ids(2_000).map((id) => ({ id })));
    for (let taken = 0; taken < 2_000; taken += 1_000) await tasks.dequeue(1_000);
    const strangers = ids(3).map((id) => `gone-${id}`);
    expect((await extend(tasks, [...ids(2_000), ...strangers])).lost).toEqual(strangers);
    const seconds = [await tasks.probe.secondOf('lease', 'id-0'), await tasks.probe.secondOf('lease', 'id-1999')];
    expect(seconds).toEqual([nowSeconds + 35, nowSeconds + 35]);
  });
});
