import type { Disorder, ReconcileResult } from '../../lib/model/broker/maintenance.contract.js';
import { ms } from '../../lib/model/time/duration.js';
import { noon, type Seed, SeededQueue } from './seeded-queue.js';

describe('reconciling large and oddly named queues', () => {
  const opened: SeededQueue[] = [];
  const open = (queue?: string): SeededQueue => {
    const tasks = SeededQueue.open(queue === undefined ? {} : { queue });
    opened.push(tasks);
    return tasks;
  };
  afterEach(async () => {
    for (const tasks of opened.splice(0)) await tasks.close();
  });

  const steps = async (tasks: SeededQueue, queues: readonly string[] = [tasks.queue]): Promise<ReconcileResult[]> => {
    const results: ReconcileResult[] = [];
    let cursor: string | undefined;
    do {
      const step = await tasks.maintenance.reconcile({ queues, now: noon, cursor, confirmed: [] });
      results.push(step);
      cursor = step.cursor;
    } while (cursor !== undefined);
    return results;
  };
  const suspicionsOf = (results: readonly ReconcileResult[]): Disorder[] => {
    const all = results.flatMap(({ suspicions }) => suspicions);
    return [...new Map(all.map((suspicion) => [JSON.stringify(suspicion), suspicion])).values()];
  };
  const many = (count: number, seed: Partial<Seed>, label: string): Seed[] =>
    Array.from({ length: count }, (_, i) => ({ id: `${label}${i}`, ...seed }));
  const heal = async (tasks: SeededQueue, confirmed: readonly Disorder[]): Promise<ReconcileResult> =>
    await tasks.maintenance.reconcile({ queues: [tasks.queue], now: noon, cursor: undefined, confirmed });

  it('checks a large set and many hashes in bounded steps, and misses none', async () => {
    const tasks = open();
    await tasks.given(...many(5_000, { state: 'completed' }, 'c'), ...many(700, { places: [] }, 'lost'));
    await tasks.redis.zadd(tasks.keys.completed, 1, 'gone-first', noon, 'gone-last');
    const results = await steps(tasks);
    expect(results.length).toBeGreaterThan(5);
    const found = suspicionsOf(results);
    expect(found.filter(({ kind }) => kind === 'id-without-task').map(({ subject }) => subject)).toEqual([
      'gone-first',
      'gone-last',
    ]);
    expect(found.filter(({ kind }) => kind === 'task-without-place')).toHaveLength(700);
  });

  it('heals a bounded number in one step and returns the others', async () => {
    const tasks = open();
    await tasks.given(...many(1_200, { places: [] }, 'lost'));
    const lost = suspicionsOf(await steps(tasks));
    const first = await heal(tasks, lost);
    expect(first.healed).toHaveLength(1_000);
    const postponed = lost.slice(1_000);
    expect(first.suspicions).toEqual(postponed);
    expect((await heal(tasks, postponed)).healed).toEqual(postponed);
    expect(new Set(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).size).toBe(1_200);
    expect(await tasks.redis.llen(tasks.keys.pending)).toBe(1_200);
  });

  it('finds a task lost out of a long pending list by its age, and none that waits there', async () => {
    const tasks = open();
    const since = (offset: number) => ({ fields: { pending_since: `${noon + offset}000000` } });
    await tasks.given(
      { id: 'lost-older', places: [], ...since(-1) },
      { id: 'lost-newer', places: [], ...since(3) },
      { id: 'lost-ageless', places: [], fields: { pending_since: '' } },
      ...Array.from({ length: 5_100 }, (_, i) => ({ id: `p${i}`, ...since(i) })),
      { id: 'archived', state: 'archived' as const },
    );
    expect(suspicionsOf(await steps(tasks))).toEqual([
      { queue: tasks.queue, kind: 'task-without-place', subject: 'lost-older' },
    ]);
    // What comes to the head of a queue by requeueing became pending later than what it stands before.
    await tasks.given({ id: 'requeued', places: [], ...since(9_000) });
    await tasks.redis.rpush(tasks.keys.pending, 'requeued');
    const suspicions = suspicionsOf(await steps(tasks));
    expect(suspicions.map(({ subject }) => subject)).toEqual(['lost-older']);
    expect((await heal(tasks, suspicions)).healed).toEqual(suspicions);
    expect(await tasks.placesOf('lost-older')).toEqual(['pending']);
  });

  it('does not duplicate a task of a long list that only seems lost', async () => {
    const tasks = open();
    await tasks.given(
      ...many(5_000, { fields: { pending_since: `${noon + 5}000000` } }, 'p'),
      { id: 'old', fields: { pending_since: `${noon}000000` } },
      ...many(100, { fields: { pending_since: `${noon + 5}000000` } }, 'q'),
    );
    // Two hundred are put before the others, so that the hundred looked at are all newer than the rest.
    await tasks.redis.rpush(tasks.keys.pending, ...Array.from({ length: 200 }, (_, i) => `p${i}`));
    for (let i = 0; i < 200; i++) await tasks.redis.lrem(tasks.keys.pending, 1, `p${i}`);
    const suspicions = suspicionsOf(await steps(tasks));
    expect(suspicions.map(({ subject }) => subject)).toEqual(['old']);
    expect((await heal(tasks, suspicions)).healed).toEqual([]);
    expect(await tasks.placesOf('old')).toEqual(['pending']);
  });

  it('finds a grouped task that is in none of the open sets of its group', async () => {
    const tasks = open();
    await tasks.given({ id: 'there', state: 'aggregating', group: 'g' });
    const limits = { maxSize: 1, maxDelay: ms(0), gracePeriod: ms(0) };
    await tasks.maintenance.collectGroup({ queue: tasks.queue, group: 'g', now: noon, ...limits });
    await tasks.given({ id: 'lost', state: 'aggregating', group: 'g', places: [] });
    expect(suspicionsOf(await steps(tasks)).map(({ subject }) => subject)).toEqual(['lost']);
  });

  it('searches a very long list for few tasks at a time', async () => {
    const tasks = open();
    await tasks.given(...many(3, { places: [] }, 'lost'));
    const filler = Array.from({ length: 100_000 }, (_, i) => String(i));
    for (let start = 0; start < 6; start++) await tasks.redis.rpush(tasks.keys.pending, ...filler);
    const lost = many(3, {}, 'lost').map(({ id }) => ({
      queue: tasks.queue,
      kind: 'task-without-place' as const,
      subject: id,
    }));
    const first = await heal(tasks, lost);
    expect(first.healed).toEqual(lost.slice(0, 1));
    expect(first.suspicions).toEqual(lost.slice(1));
    expect((await heal(tasks, lost.slice(1))).healed).toEqual(lost.slice(1, 2));
  });

  it.each(['{a}:b', 'a}:t:b{', 'x{y', 'with space\nand line', '[a-z]*?', '任务🚀'])(
    'knows the tasks of a queue by the name %j',
    async (name) => {
      const tasks = open(`${name}-${noon}-${process.pid}`);
      await tasks.given({ id: 'lost:{1}', places: [] }, { id: 'there' }, { id: 'a}:t:b', places: [] });
      const found = suspicionsOf(await steps(tasks));
      expect(found.map(({ subject }) => subject).sort()).toEqual(['a}:t:b', 'lost:{1}']);
      expect((await heal(tasks, found)).healed).toEqual(found);
      expect(await tasks.redis.llen(tasks.keys.pending)).toBe(3);
    },
  );

  it('compares leases with the tasks alone beside more than 5,000 running ones', async () => {
    const tasks = open();
    await tasks.given(
      ...many(5_001, { state: 'active' }, 'running'),
      { id: 'not-active', state: 'active' },
      { id: 'elsewhere', state: 'scheduled' },
    );
    await tasks.redis.zadd(tasks.keys.lease, noon, 'elsewhere');
    await tasks.redis.lrem(tasks.keys.active, 1, 'not-active');
    const leased = async (): Promise<readonly string[]> =>
      suspicionsOf(await steps(tasks)).flatMap(({ kind, subject }) => (kind === 'lease-without-active' ? subject : []));
    expect(await leased()).toEqual(['elsewhere']);
    await tasks.redis.lrem(tasks.keys.active, 1, 'running0');
    expect((await leased()).toSorted()).toEqual(['elsewhere', 'not-active', 'running0']);
  });

  it('leaves tasks alone that belong to a queue whose name contains the prefix of its keys', async () => {
    const outer = open();
    const inner = open(`${outer.queue}}:t:b{`);
    await inner.given({ id: 'theirs', places: [] }, { id: 'broken', places: [], message: Buffer.from([0x0a, 0xff]) });
    expect(suspicionsOf(await steps(outer))).toEqual([]);
    const both = suspicionsOf(await steps(outer, [outer.queue, inner.queue]));
    expect(new Set(both.map(({ subject }) => subject))).toEqual(new Set(['broken', 'theirs']));
    expect(new Set(both.map(({ queue }) => queue))).toEqual(new Set([inner.queue]));
  });

  it('continues with the next queue, and ends a round when there is none', async () => {
    const [first, second] = [open(), open()];
    await first.redis.zadd(first.keys.retry, 1, 'gone');
    await second.redis.zadd(second.keys.retry, 1, 'gone');
    expect(suspicionsOf(await steps(first, [first.queue, second.queue])).map(({ queue }) => queue)).toEqual([
      first.queue,
      second.queue,
    ]);
    expect(suspicionsOf(await steps(first, []))).toEqual([]);
  });

  it('refuses a cursor that it did not return', async () => {
    const tasks = open();
    const request = { queues: [tasks.queue], now: noon, cursor: 'here', confirmed: [] };
    await expect(tasks.maintenance.reconcile(request)).rejects.toMatchObject({ code: 'ASYNQ_INTERNAL' });
  });
});
