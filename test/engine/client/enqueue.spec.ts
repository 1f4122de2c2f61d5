import type { Settlement } from '../../../lib/model/broker/work.contract.js';
import type { EnqueueOptions } from '../../../lib/model/task/task-options.js';
import { epochMs } from '../../../lib/model/time/duration.js';
import { groupKey } from '../../../lib/redis/keys.js';
import { ClientUnderTest, now, nowSeconds } from './client-under-test.js';

const later = (by: number): Date => new Date(now.getTime() + by);
const hour = 3_600_000;

describe('enqueue', () => {
  let subject: ClientUnderTest;

  beforeAll(() => {
    subject = ClientUnderTest.open();
  });

  afterAll(async () => await subject.close());

  it('C-14 P-08 P-09 P-10 P-31 P-32 stores a task with the defaults, pending', async () => {
    const info = await subject.client.enqueue('email:send', { userId: 42 });
    expect(info).toMatchObject({
      id: info.id,
      queue: subject.queue,
      type: 'email:send',
      payload: { userId: 42 },
      rawPayload: Buffer.from('{"userId":42}'),
      headers: undefined,
      state: 'pending',
      maxRetry: 25,
      retried: 0,
      lastError: undefined,
      lastFailedAt: undefined,
      timeout: 1_800_000,
      deadline: undefined,
      group: undefined,
      nextProcessAt: now,
      retention: 0,
      completedAt: undefined,
      result: undefined,
      rawResult: undefined,
    });
    expect(await subject.messageOf(info.id)).toMatchObject({
      type: 'email:send',
      payload: Buffer.from('{"userId":42}'),
      id: info.id,
      queue: subject.queue,
      maxRetry: 25,
      timeoutSeconds: 1_800,
      deadlineSeconds: 0,
    });
    const fields = await subject.fieldsOf(info.id);
    expect(Object.keys(fields).sort()).toEqual(['msg', 'pending_since', 'state']);
    expect(fields).toMatchObject({ state: 'pending', pending_since: `${now.getTime()}000000` });
    expect(await subject.pendingIds()).toContain(info.id);
    expect(await subject.redis.sismember('asynq:queues', subject.queue)).toBe(1);
  });

  it('C-15 draws a new UUID for every task', async () => {
    const infos = await Promise.all([1, 2, 3].map(() => subject.client.enqueue('x')));
    const ids = infos.map((info) => info.id);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  it('resolves with the payload as it will arrive', async () => {
    const payload = { at: new Date(0), left: undefined, bytes: Buffer.from('x') };
    const info = await subject.client.enqueue('x', payload);
    expect(info.payload).toEqual({ at: '1970-01-01T00:00:00.000Z', bytes: { type: 'Buffer', data: [120] } });
    expect(info.rawPayload).toEqual(Buffer.from(JSON.stringify(payload)));
    expect((await subject.client.enqueue('x')).payload).toBeUndefined();
  });

  it('P-13 keeps bytes as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const info = await subject.client.enqueue('x', bytes);
    expect((await subject.messageOf(info.id)).payload).toEqual(bytes);
    const view = new Uint8Array(bytes).subarray(100, 200);
    const other = await subject.client.enqueue('x', view);
    expect((await subject.messageOf(other.id)).payload).toEqual(bytes.subarray(100, 200));
  });

  it.each<[string, EnqueueOptions, object, object]>([
    ['C-17 maxRetry 0', { maxRetry: 0 }, { maxRetry: 0 }, { maxRetry: 0 }],
    ['C-24 a timeout', { timeout: '20s' }, { timeoutSeconds: 20, deadlineSeconds: 0 }, { timeout: 20_000 }],
    [
      'C-25 a deadline, without a default timeout',
      { deadline: later(hour - 250) },
      { timeoutSeconds: 0, deadlineSeconds: nowSeconds + 3_600 },
      { timeout: undefined, deadline: new Date((nowSeconds + 3_600) * 1_000) },
    ],
    [
      'C-26 both',
      { timeout: '20s', deadline: later(hour - 250) },
      { timeoutSeconds: 20, deadlineSeconds: nowSeconds + 3_600 },
      { timeout: 20_000 },
    ],
    [
      'C-27 timeout 0 with a deadline',
      { timeout: 0, deadline: later(hour - 250) },
      { timeoutSeconds: 0, deadlineSeconds: nowSeconds + 3_600 },
      { timeout: undefined },
    ],
    ['C-28 timeout 0 alone', { timeout: 0 }, { timeoutSeconds: 1_800 }, { timeout: 1_800_000 }],
    ['C-30 a timeout below a second, rounded up', { timeout: 500 }, { timeoutSeconds: 1 }, { timeout: 1_000 }],
    ['C-31 a timeout with a fraction, rounded up', { timeout: '1.5s' }, { timeoutSeconds: 2 }, { timeout: 2_000 }],
    ['a deadline with a fraction, rounded up', { deadline: later(1) }, { deadlineSeconds: nowSeconds + 1 }, {}],
    ['C-32 retention', { retention: '24h' }, { retentionSeconds: 86_400 }, { retention: 86_400_000 }],
    ['C-33 retention below a second, rounded up', { retention: 10 }, { retentionSeconds: 1 }, { retention: 1_000 }],
    ['C-42 P-34 an id', { taskId: 'a id 😀' }, { id: 'a id 😀' }, { id: 'a id 😀' }],
  ])('stores %s', async (_what, options, stored, shown) => {
    const info = await subject.client.enqueue('x', null, options);
    expect(await subject.messageOf(info.id)).toMatchObject(stored);
    expect(info).toMatchObject(shown);
  });

  it('takes an id of 10,000 characters', async () => {
    const taskId = 'é'.repeat(10_000);
    await subject.client.enqueue('x', null, { taskId });
    expect((await subject.messageOf(taskId)).id).toBe(taskId);
  });

  it.each(['Critical', ' spaced ', 'a{b}c', 'new\nline', 'queue 😀'])(
    'C-18 C-20 P-19 keeps the queue name %j',
    async (name) => {
      const queue = subject.anotherQueue(`${name}-${subject.queue}`);
      const info = await subject.client.enqueue('x', 1, { queue });
      expect(info.queue).toBe(queue);
      expect((await subject.messageOf(info.id, queue)).queue).toBe(queue);
      expect(await subject.redis.sismember('asynq:queues', queue)).toBe(1);
    },
  );

  it.each<[string, EnqueueOptions]>([
    ['C-34 now', { processAt: now }],
    ['C-36 in no time', { processIn: 0 }],
    ['C-37 in the past', { processAt: later(-hour) }],
    ['C-37 at the beginning of time', { processAt: new Date(0) }],
  ])('takes a task to be run %s for one to be run at once', async (_when, options) => {
    const info = await subject.client.enqueue('x', 1, options);
    expect(info).toMatchObject({ state: 'pending', nextProcessAt: now });
    expect(await subject.pendingIds()).toContain(info.id);
  });

  it.each<[string, EnqueueOptions, Date]>([
    ['C-35 at an instant', { processAt: later(hour - 250) }, later(hour - 250)],
    ['C-36 in an hour', { processIn: '1h' }, later(hour)],
    ['in a moment', { processIn: 1 }, later(1)],
  ])('P-43 P-44 P-20 schedules a task to be run %s', async (_when, options, at) => {
    const info = await subject.client.enqueue('x', 1, options);
    expect(info).toMatchObject({ state: 'scheduled', nextProcessAt: at });
    const score = Number(await subject.redis.zscore(subject.keys.scheduled, info.id));
    expect(score).toBe(Math.ceil(at.getTime() / 1_000));
    expect(await subject.pendingIds()).not.toContain(info.id);
    const fields = await subject.fieldsOf(info.id);
    expect(Object.keys(fields).sort()).toEqual(['msg', 'state']);
    expect(fields['state']).toBe('scheduled');
  });

  it('C-38 P-11 P-92 lets a task wait in its group', async () => {
    const info = await subject.client.enqueue('x', 1, { group: 'g:1' });
    expect(info).toMatchObject({ state: 'aggregating', group: 'g:1', nextProcessAt: undefined });
    expect(Number(await subject.redis.zscore(groupKey(subject.keys, 'g:1'), info.id))).toBe(nowSeconds);
    expect(await subject.redis.smembers(subject.keys.groups)).toContain('g:1');
    expect(await subject.messageOf(info.id)).toMatchObject({ group: 'g:1' });
    expect(await subject.pendingIds()).not.toContain(info.id);
  });

  it('C-41 lets a task with a group and a past time wait in its group', async () => {
    const info = await subject.client.enqueue('x', 1, { group: 'g', processAt: later(-1) });
    expect(info.state).toBe('aggregating');
  });

  it('C-39 C-40 P-53 D-C1 schedules a task with a group and a later time, which then joins its group', async () => {
    const queue = subject.anotherQueue();
    const info = await subject.client.enqueue('x', 1, { queue, group: 'g', processAt: later(1_800_000) });
    expect(info).toMatchObject({ state: 'scheduled', group: 'g', nextProcessAt: later(1_800_000) });
    expect(await subject.fieldsOf(info.id, queue)).not.toHaveProperty('group');
    await subject.broker.maintenance.forwardDue({ queue, now: epochMs(later(hour).getTime()), limit: 10 });
    expect(await subject.pendingIds(queue)).toEqual([]);
    expect(await subject.broker.maintenance.listGroups(queue)).toEqual(['g']);
    expect(await subject.fieldsOf(info.id, queue)).toMatchObject({ state: 'aggregating', group: 'g' });
  });

  it('P-33 keeps first-in, first-out order, also among calls made at once', async () => {
    const queue = subject.anotherQueue();
    const infos = await Promise.all(
      Array.from({ length: 1_200 }, (_, index) => subject.client.enqueue('x', index, { queue })),
    );
    expect(await subject.pendingIds(queue)).toEqual(infos.map((info) => info.id));
  });

  it('C-44 P-35 accepts the same id in two queues', async () => {
    const queue = subject.anotherQueue();
    await subject.client.enqueue('x', 1, { taskId: 'same' });
    await expect(subject.client.enqueue('x', 1, { taskId: 'same', queue })).resolves.toMatchObject({ id: 'same' });
  });

  it('C-43 refuses an id that is taken, and changes nothing', async () => {
    const queue = subject.anotherQueue();
    await subject.client.enqueue('x', 'first', { taskId: 'taken', queue });
    await expect(subject.client.enqueue('x', 'second', { taskId: 'taken', queue })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_ID_CONFLICT',
      queue,
      taskId: 'taken',
    });
    expect(await subject.pendingIds(queue)).toEqual(['taken']);
    expect((await subject.messageOf('taken', queue)).payload).toEqual(Buffer.from('"first"'));
  });

  it.each(['completed', 'archived'])('C-45 P-36 refuses an id while its task is kept: %s', async (state) => {
    const queue = subject.anotherQueue();
    await subject.client.enqueue('x', 1, { taskId: 'kept', queue, retention: '1h' });
    const moment = epochMs(now.getTime());
    const lease = { now: moment, leaseUntil: epochMs(moment + 30_000), owner: 'test:1:x' };
    const { messages } = await subject.broker.work.dequeue({ queue, limit: 1, ...lease });
    const message = { ...messages[0]!, completedAtSeconds: nowSeconds };
    const expiresAt = epochMs(moment + hour);
    const settlement: Settlement =
      state === 'archived' ? { kind: 'archive', message } : { kind: 'complete', message, expiresAt, result: undefined };
    const run = { takenAt: moment, leaseUntil: lease.leaseUntil, leaseAsked: lease.leaseUntil };
    const settlements = [{ ...run, settlement }];
    await subject.broker.work.settle({ queue, owner: lease.owner, settlements, now: moment });
    expect((await subject.fieldsOf('kept', queue))['state']).toBe(state);
    await expect(subject.client.enqueue('x', 1, { taskId: 'kept', queue })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_ID_CONFLICT',
    });
  });
});
