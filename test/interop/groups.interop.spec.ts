import { openBroker } from '../../lib/engine/open-broker.js';
import { silentLogger } from '../../lib/engine/logger.js';
import { systemClock, systemRandom } from '../../lib/engine/system-clock.js';
import type { Broker } from '../../lib/model/broker/broker.js';
import { epochMs, ms } from '../../lib/model/time/duration.js';
import { sharedRedisUrl } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { acrossLanguages } from './support/across.js';

describe('groups across languages', () => {
  const across = acrossLanguages();
  let broker: Broker;

  beforeAll(async () => {
    broker = openBroker(sharedRedisUrl(), { clock: systemClock, random: systemRandom, logger: silentLogger });
    await broker.open();
  });

  afterAll(async () => await broker.close());

  it('P-92 P-94 P-99 lets Go aggregate what both sides put into a group', async () => {
    const queue = across.aQueue('group');
    const group = 'digest:7';
    for (let i = 0; i < 6; i++) {
      if (i % 2 === 0) await across.client.enqueue('note', Buffer.from(`note ${i}`), { queue, group });
      else await across.go.enqueue({ type: 'note', payload: `note ${i}`, options: { queue, group } });
    }
    expect(await across.inspector.ask({ op: 'groups', queue })).toEqual([{ Group: group, Size: 6 }]);

    const there = await across.aGoWorker({ queues: { [queue]: 1 }, groupSize: 6, groupGrace: 1_000 });
    const combined = await there.waitFor('that it aggregates', ({ event }) => event === 'aggregate');
    expect(combined.group).toBe(group);
    expect([...(combined.members ?? [])].sort()).toEqual(Array.from({ length: 6 }, (_, i) => `note ${i}`));
    await until('the combined task has ended', () => there.ended.some(({ type }) => type === 'ok:aggregated'));
    await until('nothing is left', async () => (await across.inspector.queue(queue)).Size === 0);
    expect(await across.redis.keys(`asynq:{${queue}}:t:*`)).toEqual([]);
  });

  it('P-112 P-99 handles tasks here that Go has aggregated', async () => {
    const queue = across.aQueue('combined');
    for (const n of [1, 2, 3]) await across.client.enqueue('note', Buffer.from(`${n}`), { queue, group: 'g' });
    // Only the Go server aggregates; a pause keeps it from handling the result, too.
    await across.inspector.ask({ op: 'pause', queue });
    const there = await across.aGoWorker({ queues: { [queue]: 1 }, groupSize: 3, groupGrace: 1_000 });
    await until('the combined task waits', async () => (await across.inspector.queue(queue)).Pending === 1);
    await there.kill();
    await across.inspector.ask({ op: 'unpause', queue });

    const here = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await here.hasEndedTimes(1);
    expect(here.ended).toMatchObject([{ type: 'ok:aggregated', queue }]);
    expect(here.ended[0]?.payload.toString().split('\n').sort()).toEqual(['1', '2', '3']);
  });

  it('P-93 P-113 refuses a second unique member from the other side', async () => {
    const queue = across.aQueue('unique-members');
    await across.client.enqueue('note', { u: 1 }, { queue, group: 'g', unique: '1m' });

    const options = { queue, group: 'g', unique: 60_000 };
    expect((await across.go.tryEnqueue({ type: 'note', payload: '{"u":1}', options })).refusal).toBe('duplicate');
  });

  it('P-94 P-97 P-99 collects, reads and deletes tasks that Go put into a group', async () => {
    const queue = across.aQueue('collect');
    for (const n of [1, 2, 3]) {
      const options = { queue, group: 'a:b', taskId: `m-${n}` };
      await across.go.enqueue({ type: 'note', payload: `${n}`, headers: { n: `${n}` }, options });
    }
    const { maintenance } = broker;
    expect(await maintenance.listGroups(queue)).toEqual(['a:b']);
    const now = systemClock.now();
    const limits = { maxSize: 3, maxDelay: ms(0), gracePeriod: ms(60_000) };
    const checked = await maintenance.collectGroup({ queue, group: 'a:b', now, ...limits });
    if (checked.kind !== 'collected') throw new Error('the group was not ready');
    const { setId } = checked;

    const set = await maintenance.readAggregationSet({ queue, group: 'a:b', setId, now });
    expect(set?.messages.map(({ id }) => id)).toEqual(['m-1', 'm-2', 'm-3']);
    expect(set?.messages.map(({ headers }) => headers?.['n'])).toEqual(['1', '2', '3']);
    await maintenance.deleteAggregationSet({ queue, group: 'a:b', setId });

    expect(await across.inspector.queue(queue)).toMatchObject({ Size: 0, Groups: 0 });
    expect(await across.redis.keys(`asynq:{${queue}}:t:*`)).toEqual([]);
  });

  it('P-100 P-102 leaves an unfinished set to Go, which aggregates it', async () => {
    const queue = across.aQueue('reclaim');
    const group = 'with:colons';
    for (const n of [1, 2]) await across.client.enqueue('note', Buffer.from(`${n}`), { queue, group });
    const limits = { maxSize: 2, maxDelay: ms(0), gracePeriod: ms(60_000) };
    // Three minutes ago, so that its two minutes are over.
    const now = epochMs(systemClock.now() - 180_000);
    expect(await broker.maintenance.collectGroup({ queue, group, now, ...limits })).toMatchObject({
      kind: 'collected',
    });
    // A set that was finished here, and one of which a part has gone back.
    const [finished, returning] = [`asynq:{${queue}}:g:${group}:finished`, `asynq:{${queue}}:g:part:returning`];
    for (const set of [finished, returning]) await across.redis.zadd(set, 1, 'm');
    await across.redis.zadd(`asynq:{${queue}}:aggregation_sets`, '+inf', finished, '-inf', returning);
    // Go returns the members of such a set to their group, but looks at the group only when a new member joins it.
    const there = await across.aGoWorker({ queues: { [queue]: 1 }, groupSize: 3, groupGrace: 1_000 });
    await until('Go has returned the members', async () => {
      return (await across.redis.zcard(`asynq:{${queue}}:g:${group}`)) === 2;
    });
    expect(await across.redis.zrange(`asynq:{${queue}}:aggregation_sets`, 0, '-1')).toEqual([finished]);
    expect(await across.redis.zrange(finished, 0, '-1')).toEqual(['m']);
    expect(await across.redis.zrange(`asynq:{${queue}}:g:part`, 0, '-1')).toEqual(['m']);
    await across.client.enqueue('note', Buffer.from('3'), { queue, group });

    const combined = await there.waitFor('that it aggregates', ({ event }) => event === 'aggregate');
    expect([...(combined.members ?? [])].sort()).toEqual(['1', '2', '3']);
  });

  it('P-100 P-101 returns here the members of a set whose Go server died', async () => {
    const queue = across.aQueue('returned');
    const group = 'g';
    for (const n of [1, 2]) await across.go.enqueue({ type: 'note', payload: `${n}`, options: { queue, group } });
    // What a Go server leaves that dies between taking a set and enqueueing the combined task.
    const members = await across.redis.zrange(`asynq:{${queue}}:g:${group}`, 0, '-1', 'WITHSCORES');
    const setKey = `asynq:{${queue}}:g:${group}:9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d`;
    for (let i = 0; i < members.length; i += 2) {
      await across.redis.zadd(setKey, members[i + 1] ?? '', members[i] ?? '');
    }
    await across.redis.del(`asynq:{${queue}}:g:${group}`, `asynq:{${queue}}:groups`);
    await across.redis.zadd(`asynq:{${queue}}:aggregation_sets`, Math.floor(Date.now() / 1_000) - 1, setKey);

    expect(await broker.maintenance.reclaimAggregationSets({ queue, now: systemClock.now() })).toBe(1);
    expect(await across.inspector.listGroup(queue, group)).toHaveLength(2);
    expect(await across.inspector.ask({ op: 'groups', queue })).toEqual([{ Group: group, Size: 2 }]);
  });
});
