import { ms } from '../../lib/model/time/duration.js';
import { aTaskMessage } from '../support/a-task-message.js';
import { noon, noonSeconds, SeededQueue } from './seeded-queue.js';

describe('finishing an aggregation', () => {
  let tasks: SeededQueue;
  beforeEach(() => {
    tasks = SeededQueue.open();
  });
  afterEach(async () => await tasks.close());

  it('deletes a set of 2,500 members, which no single command could carry', async () => {
    const { queue } = tasks;
    const members = Array.from({ length: 2_500 }, (_, i) => ({ id: `m${i}`, score: noonSeconds - 90 }));
    await tasks.given(...members.map((seed) => ({ ...seed, state: 'aggregating' as const, group: 'g' })));
    const limits = { maxSize: 0, maxDelay: ms(0), gracePeriod: ms(1_000) };
    const checked = await tasks.maintenance.collectGroup({ queue, group: 'g', now: noon, ...limits });
    const set = { queue, group: 'g', setId: checked.kind === 'collected' ? checked.setId : 'none' };
    const message = aTaskMessage({ id: 'combined', type: 'digest', queue });
    const combined = { message, place: { kind: 'pending' }, uniqueForSeconds: 0, idIsGenerated: false } as const;
    expect(await tasks.maintenance.finishAggregation({ ...set, combined, locks: [], now: noon })).toBe('finished');
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix}*`)).toEqual([`${tasks.keys.taskPrefix}combined`]);
  });

  it('deletes only sets of its own queue, and stops at none of another type', async () => {
    const { queue, keys, redis } = tasks;
    const stale = `${keys.groupPrefix}g:stale`;
    const [foreign, wrong] = [`asynq:{${queue}-other}:scheduled`, `${keys.groupPrefix}g:wrong`];
    await tasks.given({ id: 'm0', state: 'aggregating', group: 'g' });
    await redis.rename(`${keys.groupPrefix}g`, stale);
    await redis.zadd(foreign, noonSeconds, 'x');
    await redis.set(wrong, 'not a set');
    await redis.zadd(keys.aggregationSets, noonSeconds - 1, stale, '+inf', foreign, '+inf', wrong);
    expect(await tasks.maintenance.reclaimAggregationSets({ queue, now: noon })).toBe(1);
    expect(await redis.zrange(`${keys.groupPrefix}g`, 0, '-1')).toEqual(['m0']);
    expect(await redis.zcard(foreign)).toBe(1);
    expect(await redis.zrange(keys.aggregationSets, 0, '-1')).toEqual([wrong]);
    await redis.del(foreign);
  });

  it('retries a delayed grouped task alone when a Go server ran it alone', async () => {
    await tasks.given({ id: 'm0', state: 'retry', fields: { 'x:group': 'g' } });
    await tasks.maintenance.forwardDue({ queue: tasks.queue, now: noon, limit: 10 });
    expect(await tasks.placesOf('m0')).toEqual(['pending']);
  });
});
