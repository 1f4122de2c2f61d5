import type { Disorder } from '../../lib/model/broker/maintenance.contract.js';
import type { StorageNotice } from '../../lib/model/broker/storage-notice.js';
import { noon, noonSeconds, SeededQueue } from './seeded-queue.js';

describe('reconciling unique locks', () => {
  const open: SeededQueue[] = [];
  const aQueue = (queue?: string): SeededQueue => {
    const tasks = SeededQueue.open(queue === undefined ? {} : { queue });
    open.push(tasks);
    return tasks;
  };
  afterEach(async () => {
    for (const tasks of open.splice(0)) await tasks.close();
  });

  /** What a whole round puts right. */
  const healed = async (...queues: readonly SeededQueue[]): Promise<readonly Disorder[]> => {
    const found: Disorder[] = [];
    let cursor: string | undefined;
    do {
      const names = queues.map(({ queue }) => queue);
      const step = await queues[0]!.maintenance.reconcile({ queues: names, now: noon, cursor, confirmed: [] });
      expect(step.suspicions.filter(({ kind }) => kind === 'lock-without-task')).toEqual([]);
      found.push(...step.healed);
      cursor = step.cursor;
    } while (cursor !== undefined);
    return found;
  };
  const lockOf = ({ keys }: SeededQueue, name = 'email:send:1'): string => `${keys.lockPrefix}${name}`;

  it('frees locks whose tasks are gone, and no others', async () => {
    const tasks = aQueue();
    await tasks.given({ id: 'there' }, { id: 'archived', state: 'archived' });
    const held = { there: lockOf(tasks, 'a:1'), archived: lockOf(tasks, 'a:2') };
    const lost = [lockOf(tasks, 'a:3'), lockOf(tasks, 'b:')];
    await tasks.redis.mset({ [held.there]: 'there', [held.archived]: 'archived' });
    for (const lock of lost) await tasks.redis.set(lock, 'gone', 'EX', 3_600);
    const freed = await healed(tasks);
    expect(new Set(freed)).toEqual(
      new Set(lost.map((subject) => ({ queue: tasks.queue, kind: 'lock-without-task', subject }))),
    );
    expect(freed).toHaveLength(2);
    expect(await tasks.redis.mget(held.there, held.archived, ...lost)).toEqual(['there', 'archived', null, null]);
    expect(await healed(tasks)).toEqual([]);
  });

  it('leaves those of members that were aggregated here', async () => {
    const tasks = aQueue();
    await tasks.redis.set(lockOf(tasks), 'aggregated:m0');
    expect(await healed(tasks)).toEqual([]);
  });

  it.each(['groups', 'aggregationSets'] as const)(
    'leaves those of a queue with %s, where a Go server may have aggregated the holder',
    async (kind) => {
      const tasks = aQueue();
      await tasks.redis.set(lockOf(tasks), 'gone');
      if (kind === 'groups') await tasks.redis.sadd(tasks.keys.groups, 'g');
      else await tasks.redis.zadd(tasks.keys.aggregationSets, noonSeconds, `${tasks.keys.groupPrefix}g:set`);
      expect(await healed(tasks)).toEqual([]);
      expect(await tasks.redis.get(lockOf(tasks))).toBe('gone');
    },
  );

  it('frees more locks than one call checks', async () => {
    const tasks = aQueue();
    const locks = Array.from({ length: 1_200 }, (_, i) => lockOf(tasks, `a:${i}`));
    await tasks.redis.mset(Object.fromEntries(locks.map((lock) => [lock, 'gone'])));
    expect(new Set((await healed(tasks)).map(({ subject }) => subject))).toEqual(new Set(locks));
    expect(await tasks.redis.exists(...locks)).toBe(0);
  });

  it('leaves locks alone that belong to a queue whose name contains the prefix of its keys', async () => {
    const outer = aQueue();
    const inner = aQueue(`${outer.queue}}:unique:b{`);
    await inner.given({ id: 'theirs' });
    await inner.redis.set(lockOf(inner), 'theirs');
    expect(await healed(outer)).toEqual([]);
    expect(await healed(outer, inner)).toEqual([]);
  });

  it('reports a lock of a wrong type and continues with the others', async () => {
    const tasks = aQueue();
    const notices: StorageNotice[] = [];
    tasks.broker.onNotice((notice) => notices.push(notice));
    await tasks.redis.lpush(lockOf(tasks, 'a:1'), 'x');
    await tasks.redis.set(lockOf(tasks, 'a:2'), 'gone');
    expect((await healed(tasks)).map(({ subject }) => subject)).toEqual([lockOf(tasks, 'a:2')]);
    expect(notices).toContainEqual({
      kind: 'wrong-type',
      queue: tasks.queue,
      key: lockOf(tasks, 'a:1'),
      expected: 'string',
      found: 'list',
    });
  });
});
