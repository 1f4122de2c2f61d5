import type { Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { chapter } from './chapter.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, ids, nowSeconds, type Wanted } from './task-words.js';
import { ms } from '../../lib/model/time/duration.js';

const ninetyDays = 90 * 86_400;

export const archiving = chapter('archiving', (it) => {
  const failed = { errorMessage: 'boom', lastFailedAtSeconds: nowSeconds } as const;
  const archive = (message: TaskMessage): Settlement => ({ kind: 'archive', message: { ...message, ...failed } });
  /** Tasks that were archived the given seconds ago. */
  const archivedAgo = async (tasks: QueueUnderTest, secondsAgo: number, ...wanted: readonly Wanted[]) => {
    for (let start = 0; start < wanted.length; start += 1_000) {
      const messages = await tasks.running(...wanted.slice(start, start + 1_000));
      await tasks.settleAt(after(-secondsAgo * 1_000), ...messages.map(archive));
    }
  };
  const named = (label: string, count: number): Wanted[] => ids(count).map((id) => ({ id: `${label}-${id}` }));

  it('P-83 keeps the task with its error, at the second of now', async (tasks) => {
    const message = await tasks.one({ retried: 3 });
    expect(await tasks.settle(archive(message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['archived']);
    expect(await tasks.probe.secondOf('archived', 'a')).toBe(nowSeconds);
    expect(await tasks.task('a')).toMatchObject({ state: 'archived', owner: undefined, undecodable: undefined });
    expect(await tasks.stored('a')).toEqual({ ...message, ...failed, retried: 3 });
  });

  it('P-84 counts a failure in all four counters', async (tasks) => {
    await tasks.settle(archive(await tasks.one()));
    expect(await tasks.counters()).toEqual({ processed: 1, failed: 1, processedToday: 1, failedToday: 1 });
  });

  it('P-85 keeps the lock', async (tasks) => {
    await tasks.settle(archive(await tasks.one({ uniqueKey: tasks.lockName(), uniqueForSeconds: 60 })));
    expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('a');
  });

  it('P-86 deletes tasks archived 90 days ago, and keeps newer ones', async (tasks) => {
    for (let i = 0; i < 4; i++) await archivedAgo(tasks, ninetyDays + 1 - i, { id: `old-${i}` });
    await tasks.settle(archive(await tasks.one()));
    expect(await tasks.idsIn('archived')).toEqual(['old-2', 'old-3', 'a']);
    expect(await tasks.probe.taskIds()).toEqual(['a', 'old-2', 'old-3']);
  });

  it('P-87 keeps the newest 9,999 and deletes the records of the others', async (tasks) => {
    await archivedAgo(tasks, 2_000, ...named('oldest', 40));
    await archivedAgo(tasks, 0, ...named('old', 9_959));
    const messages = await tasks.running({ id: 'a' }, { id: 'b' });
    expect(await tasks.settle(...messages.map(archive))).toEqual(['settled', 'settled']);
    const left = await tasks.idsIn('archived');
    expect(left).toHaveLength(9_999);
    expect(left.filter((id) => id.startsWith('oldest'))).toHaveLength(38);
    expect(left).toEqual(expect.arrayContaining(['a', 'b']));
    expect(await tasks.probe.taskIds()).toEqual([...left].toSorted());

    // A whole batch into the full archive; nothing new is trimmed, even when its id comes first in the same second.
    const batch = await tasks.running({ id: '!' }, ...named('new', 300));
    expect(new Set(await tasks.settle(...batch.map(archive)))).toEqual(new Set(['settled']));
    expect(await tasks.placesOf('!')).toEqual(['archived']);
    const full = await tasks.idsIn('archived');
    expect(full).toHaveLength(9_999);
    expect(full.filter((id) => id.startsWith('new'))).toHaveLength(300);
    expect(full.filter((id) => id.startsWith('oldest'))).toEqual([]);
    expect(await tasks.probe.taskIds()).toHaveLength(9_999);
  });

  it('Q-06 frees the locks of trimmed tasks, and no lock of another task', async (tasks) => {
    const locked = (id: string) => ({ id, uniqueKey: tasks.lockName(id), uniqueForSeconds: 60 });
    await archivedAgo(tasks, ninetyDays, locked('old-0'), locked('old-1'));
    await tasks.probe.setLock(tasks.lockName('old-1'), { holder: 'newer', ttl: ms(60_000) });
    await tasks.settle(archive(await tasks.one()));
    expect(await tasks.probe.lock(tasks.lockName('old-0'))).toBeUndefined();
    expect((await tasks.probe.lock(tasks.lockName('old-1')))?.holder).toBe('newer');
    expect(await tasks.probe.taskIds()).toEqual(['a']);
  });

  it('drops ids without a task when trimming', async (tasks) => {
    await tasks.probe.putIn('archived', ['gone'], nowSeconds - ninetyDays);
    await tasks.settle(archive(await tasks.one()));
    expect(await tasks.idsIn('archived')).toEqual(['a']);
    expect(await tasks.probe.taskIds()).toEqual(['a']);
  });
});
