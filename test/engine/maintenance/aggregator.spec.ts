import { randomUUID } from 'node:crypto';
import type { EnqueueOutcome } from '../../../lib/model/broker/enqueue.contract.js';
import { defineTask } from '../../../lib/model/task/task-definition.js';
import { addMs, ms } from '../../../lib/model/time/duration.js';
import { aTaskMessage } from '../../support/a-task-message.js';
import { GroupsUnderTest } from './groups-under-test.js';

describe('aggregating groups', () => {
  let groups: GroupsUnderTest;
  beforeEach(() => {
    groups = GroupsUnderTest.open();
  });
  afterEach(async () => await groups.close());

  it('S-110 combines three tasks that were added one after the other, once the grace period is over', async () => {
    await groups.start({ groupGracePeriod: '1s' });
    for (let n = 0; n < 3; n += 1) {
      await groups.join('g');
      await groups.advance('300ms');
    }
    await groups.advance('3s');
    expect(groups.sizes).toEqual([3]);
  });

  it('S-111 combines four tasks when the oldest has waited long enough', async () => {
    await groups.start({ groupGracePeriod: '2s', groupMaxDelay: '4s' });
    for (let n = 0; n < 4; n += 1) {
      await groups.join('g');
      await groups.advance('1s');
    }
    expect(groups.sizes).toEqual([4]);
  });

  it('S-112 S-116 takes as many tasks as the maximum size and leaves the rest', async () => {
    const ids = await groups.joinMany('g', 7);
    await groups.start({ groupMaxSize: 5 });
    await groups.advance('7s');
    expect(groups.sizes).toEqual([5]);
    expect(await groups.waiting('g')).toEqual(ids.slice(5));
    await groups.join('g');
    await groups.joinMany('h', 5);
    await groups.advance('7s');
    expect(groups.sizes).toEqual([5, 5]);
  });

  it('takes one set after the other from a group that holds several sets', async () => {
    await groups.joinMany('g', 12);
    await groups.start({ groupMaxSize: 5 });
    await groups.advance('1s');
    expect(groups.sizes).toEqual([5, 5]);
  });

  it('S-113 deletes the group and its members', async () => {
    const ids = await groups.joinMany('g', 3);
    await groups.start();
    await groups.advance('1m');
    expect(groups.sizes).toEqual([3]);
    expect(await groups.waiting('g')).toEqual([]);
    expect(await Promise.all(ids.map(async (id) => await groups.test.stateOf(id)))).toEqual(['gone', 'gone', 'gone']);
    expect(await groups.test.redis.exists(groups.test.keys.groups, groups.test.keys.aggregationSets)).toBe(0);
  });

  it('P-103 lets members keep their unique locks', async () => {
    const uniqueKey = `asynq:{${groups.test.queue}}:unique:email:send:`;
    const unique = async (): Promise<readonly EnqueueOutcome[]> => {
      const message = aTaskMessage({ queue: groups.test.queue, id: randomUUID(), group: 'g', uniqueKey });
      const request = { message, place: { kind: 'aggregating' }, uniqueForSeconds: 600, idIsGenerated: true } as const;
      return await groups.test.broker.enqueue.enqueue([request], groups.test.time.now());
    };
    expect(await unique()).toEqual(['enqueued']);
    await groups.join('g');
    await groups.start();
    await groups.advance('1m');
    expect(groups.sizes).toEqual([2]);
    expect(await unique()).toEqual(['duplicate']);
    expect(await groups.test.redis.get(uniqueKey)).toMatch(/^aggregated:/);
  });

  it('S-114 puts the task into the queue of the group, whatever queue it names', async () => {
    const Digest = defineTask('digest', { queue: 'of-the-definition' });
    const combined = [['digest', 1, { queue: 'elsewhere' }], [Digest, 2], { type: 'digest', payload: 3 }];
    await groups.joinMany('g', 1);
    await groups.joinMany('h', 1);
    await groups.joinMany('i', 1);
    await groups.start({}, ({ name }) => combined['ghi'.indexOf(name)]);
    await groups.advance('61s');
    const pending = await groups.pending();
    expect(pending.map(({ payload }) => String(payload)).sort()).toEqual(['1', '2', '3']);
    expect(new Set(pending.map(({ queue }) => queue))).toEqual(new Set([groups.test.queue]));
  });

  it('S-115 gives the task its own options and the defaults for the rest', async () => {
    await groups.join('g', { maxRetry: 1, timeoutSeconds: 5, retentionSeconds: 60, headers: { own: 'no' } });
    await groups.join('h');
    const options = { maxRetry: 3, timeout: '1m', headers: { of: 'h' }, retention: '1h', taskId: 'chosen' };
    await groups.start({}, ({ name }) => (name === 'g' ? ['plain'] : ['rich', undefined, options]));
    await groups.advance('61s');
    const [plain, rich] = [...(await groups.pending())].sort((a, b) => a.type.localeCompare(b.type));
    expect(plain).toMatchObject({ maxRetry: 25, timeoutSeconds: 1_800, retentionSeconds: 0, group: '' });
    expect(plain?.headers).toBeUndefined();
    expect(rich).toMatchObject({ id: 'chosen', maxRetry: 3, timeoutSeconds: 60, retentionSeconds: 3_600 });
    expect({ ...rich?.headers }).toEqual({ of: 'h' });
  });

  it('delays a combined task that runs later, and puts one into the group that it names', async () => {
    await groups.joinMany('g', 2);
    await groups.start({}, ({ name }) =>
      name === 'g' ? ['digest', 1, { group: 'weekly' }] : ['digest', 2, { processIn: '1h' }],
    );
    await groups.advance('61s');
    expect(await groups.waiting('weekly')).toHaveLength(1);
    await groups.advance('61s');
    expect(groups.sizes).toEqual([2, 1]);
    expect(await groups.test.redis.zcard(groups.test.keys.scheduled)).toBe(1);
  });

  it('S-117 passes type, payload and headers of the members, oldest first', async () => {
    await groups.join('g', { type: 'b', payload: Buffer.from('{"n":1}'), headers: { h: '1' } });
    await groups.advance('2s');
    await groups.join('g', { type: 'a', payload: Buffer.from('2') });
    await groups.start();
    await groups.advance('61s');
    const [group] = groups.seen;
    expect(group).toMatchObject({ queue: groups.test.queue, name: 'g' });
    expect(group?.tasks.map(({ type, payload, headers }) => [type, payload, { ...headers }])).toEqual([
      ['b', { n: 1 }, { h: '1' }],
      ['a', 2, {}],
    ]);
    expect(group?.tasks[1]?.rawPayload.toString()).toBe('2');
    expect(group?.tasks[0]?.id).toBe('task-1');
  });

  it('S-118 leaves groups alone if there is no function', async () => {
    await groups.joinMany('g', 3);
    await groups.test.start(() => {}, { groupGracePeriod: '1s', groupMaxSize: 1 });
    await groups.advance('30s');
    expect(await groups.waiting('g')).toHaveLength(3);
  });

  it('S-119 aggregates in the second in which the group becomes ready, and not before', async () => {
    await groups.start({ groupGracePeriod: '20s' });
    await groups.join('g');
    const readyAt = addMs(groups.test.clock.now(), ms(20_000 - (groups.test.clock.now() % 1_000)));
    await groups.test.time.advanceTo(addMs(readyAt, ms(-1)));
    expect(groups.sizes).toEqual([]);
    await groups.advance('1ms');
    expect(groups.sizes).toEqual([1]);
  });

  it('S-119 finds a group that became full within seven seconds, or within the grace period if that is shorter', async () => {
    const other = groups.test.anotherQueue();
    await groups.start({ groupMaxSize: 2 });
    await groups.start({ groupMaxSize: 2, groupGracePeriod: '3s', queues: { [other]: 1 } });
    await groups.advance('1ms');
    await groups.joinMany('g', 2);
    for (const n of [1, 2]) await groups.join('g', { queue: other, payload: Buffer.from(`${n}`) });
    await groups.advance('3s');
    expect(groups.test.happened('aggregated').map(({ queue }) => queue)).toEqual([other]);
    await groups.advance('4s');
    expect(groups.sizes).toEqual([2, 2]);
  });

  it('D-S3 aggregates a delayed task with the others of its group', async () => {
    const processAt = addMs(groups.test.clock.now(), ms(5_000));
    await groups.test.enqueue({ group: 'g' }, { kind: 'scheduled', processAt });
    await groups.start({ groupGracePeriod: '10s' });
    await groups.join('g');
    await groups.advance('9s');
    expect(groups.sizes).toEqual([]);
    await groups.advance('7s');
    expect(groups.sizes).toEqual([2]);
  });

  it('serves every queue of the server, paused ones included, and no other', async () => {
    const [served, other] = [groups.test.anotherQueue(), groups.test.anotherQueue()];
    for (const queue of [groups.test.queue, served, other]) await groups.join('g', { queue });
    await groups.test.redis.set(groups.test.keys.paused, '1');
    await groups.start({ queues: { [groups.test.queue]: 1, [served]: 1 } });
    await groups.advance('61s');
    const aggregated = groups.test.happened('aggregated').map(({ queue }) => queue);
    expect(new Set(aggregated)).toEqual(new Set([groups.test.queue, served]));
  });

  it('fetches no task without a handler, and handles what it aggregated with one', async () => {
    const stray = await groups.test.enqueue({ type: 'for-others' });
    await groups.start();
    await groups.advance('10s');
    expect(await groups.test.stateOf(stray)).toBe('pending');
    await groups.join('g');
    const handled: string[] = [];
    await groups.test.start((task) => void handled.push(task.type));
    await groups.advance('61s');
    await groups.test.untilHappened('completed', 2);
    expect(handled.sort()).toEqual(['digest', 'for-others']);
  });
});
