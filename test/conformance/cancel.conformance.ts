import type { CancelOutcome } from '../../lib/model/broker/presence.contract.js';
import { ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { collect } from './given-group.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, grouped, later, nowSeconds, type Wanted } from './task-words.js';

const locked = (tasks: QueueUnderTest): Wanted => ({ id: 'a', uniqueKey: tasks.lockName(), uniqueForSeconds: 60 });

/** Puts a task with a lock into each state that waits. */
const given: Readonly<Record<string, (tasks: QueueUnderTest) => Promise<unknown>>> = {
  pending: async (tasks) => await tasks.enqueue({ id: 'x' }, locked(tasks), { id: 'y' }),
  scheduled: async (tasks) => await tasks.enqueue(later('a', after(5_000), locked(tasks))),
  retry: async (tasks) => {
    const message = await tasks.one(locked(tasks));
    return await tasks.settle({ kind: 'retry', message, retryAt: after(5_000), counts: 'as-failure' });
  },
  aggregating: async (tasks) => await tasks.enqueue(grouped('a', 'g', locked(tasks))),
};
const everyEnd: readonly CancelOutcome[] = ['archive', 'delete', 'retry'];

export const canceling = chapter('canceling', (it) => {
  for (const [state, give] of Object.entries(given)) {
    it(`archives a ${state} task and keeps its lock and record unchanged`, async (tasks) => {
      await give(tasks);
      const { bytes } = await tasks.task('a');
      const before = await tasks.counters();
      expect(await tasks.cancel('a', 'archive')).toBe('archived');
      expect(await tasks.placesOf('a')).toEqual(['archived']);
      expect(await tasks.probe.secondOf('archived', 'a')).toBe(nowSeconds);
      expect(await tasks.stateOf('a')).toBe('archived');
      expect(Buffer.compare((await tasks.task('a')).bytes, bytes)).toBe(0);
      expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('a');
      expect(await tasks.counters()).toEqual(before);
    });

    it(`deletes a ${state} task and frees its lock`, async (tasks) => {
      await give(tasks);
      const before = await tasks.counters();
      expect(await tasks.cancel('a', 'delete')).toBe('deleted');
      expect(await tasks.placesOf('a')).toEqual([]);
      expect(await tasks.probe.taskIds()).not.toContain('a');
      expect(await tasks.probe.lock(tasks.lockName())).toBeUndefined();
      expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual([]);
      expect(await tasks.counters()).toEqual(before);
      expect(await tasks.broker.maintenance.forwardDue({ queue: tasks.queue, now: after(9_000), limit: 9 })).toEqual({
        forwarded: 0,
        more: false,
        nextDueAt: undefined,
      });
    });

    it(`keeps a ${state} task when the outcome is retry, since it already waits`, async (tasks) => {
      await give(tasks);
      const before = [await tasks.task('a'), await tasks.placesOf('a')];
      expect(await tasks.cancel('a', 'retry')).toBe('kept');
      expect([await tasks.task('a'), await tasks.placesOf('a')]).toEqual(before);
    });
  }

  it('leaves other tasks where they are', async (tasks) => {
    await given['pending']?.(tasks);
    await tasks.enqueue(grouped('b', 'g'), grouped('c', 'g'));
    await tasks.cancel('a', 'delete');
    await tasks.cancel('b', 'delete');
    expect(await tasks.idsIn('pending')).toEqual(['x', 'y']);
    expect(await tasks.idsIn('g:g')).toEqual(['c']);
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
  });

  it('does not free the lock of another task', async (tasks) => {
    await tasks.enqueue(locked(tasks));
    await tasks.probe.setLock(tasks.lockName(), { holder: 'newer', ttl: ms(60_000) });
    await tasks.cancel('a', 'delete');
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('newer');
  });

  for (const outcome of everyEnd) {
    it(`tells the worker of a running task to ${outcome} it`, async (tasks) => {
      const heard = await tasks.listen();
      const id = `${tasks.queue}-1`;
      await tasks.one({ id });
      expect(await tasks.cancel(id, outcome)).toBe('signaled');
      // The outcome first: the bare id that follows is for servers that know no outcomes.
      const said = (await heard.everything()).filter((line) => line !== 'wake');
      expect(said).toEqual([`cancel -1 to ${outcome} it in ${tasks.queue}`, 'cancel -1']);
      expect(await tasks.placesOf(id)).toEqual(['active', 'lease']);
      expect(await tasks.task(id)).toMatchObject({ state: 'active', canceled: outcome });
    });
  }

  it('uses the last outcome requested for a running task', async (tasks) => {
    await tasks.one();
    await tasks.cancel('a', 'archive');
    expect(await tasks.cancel('a', 'delete')).toBe('signaled');
    expect((await tasks.task('a')).canceled).toBe('delete');
  });

  for (const state of ['completed', 'archived'] as const) {
    it(`keeps a task that has ended: ${state}`, async (tasks) => {
      const message = await tasks.one();
      if (state === 'archived') await tasks.settle({ kind: 'archive', message });
      else await tasks.settle({ kind: 'complete', message, expiresAt: after(60_000), result: undefined });
      const before = await tasks.task('a');
      for (const outcome of everyEnd) expect(await tasks.cancel('a', outcome)).toBe('kept');
      expect(await tasks.placesOf('a')).toEqual([state]);
      expect(await tasks.task('a')).toEqual(before);
    });
  }

  it('keeps a task that is being aggregated', async (tasks) => {
    await tasks.enqueue(grouped('a', 'g'));
    await collect(tasks, { maxSize: 1 });
    expect(await tasks.cancel('a', 'delete')).toBe('kept');
    expect(await tasks.cancel('a', 'archive')).toBe('kept');
    expect(await tasks.stateOf('a')).toBe('aggregating');
  });

  it('reports an unknown task, and writes nothing', async (tasks) => {
    for (const outcome of everyEnd) expect(await tasks.cancel('a', outcome)).toBe('not-found');
    expect(await tasks.probe.taskIds()).toEqual([]);
    expect(await tasks.placesOf('a')).toEqual([]);
  });

  it('sends no signal for a task that is not running', async (tasks) => {
    const id = `${tasks.queue}-1`;
    const heard = await tasks.listen();
    await tasks.enqueue(later(id, after(5_000)));
    await tasks.cancel(id, 'archive');
    await tasks.cancel(`${tasks.queue}-2`, 'archive');
    expect(await heard.everything()).toEqual(['due +5000']);
  });

  it('P-86 trims the archive as a worker does', async (tasks) => {
    await tasks.settleAt(after(-91 * 86_400_000), { kind: 'archive', message: await tasks.one({ id: 'old' }) });
    await given['pending']?.(tasks);
    await tasks.cancel('a', 'archive');
    expect(await tasks.idsIn('archived')).toEqual(['a']);
    expect(await tasks.probe.taskIds()).not.toContain('old');
  });
});
