import type { EnqueueItem } from '../../../lib/engine/client/task-requests.js';
import { defineTask } from '../../../lib/model/task/task-definition.js';
import { ClientUnderTest, now } from './client-under-test.js';

const infosOf = (results: readonly { readonly status: string; readonly info?: { readonly id: string } }[]): string[] =>
  results.map((result) => result.info?.id ?? result.status);

describe('enqueueMany', () => {
  let subject: ClientUnderTest;
  let queue: string;

  beforeAll(() => {
    subject = ClientUnderTest.open();
  });

  beforeEach(() => {
    queue = subject.anotherQueue();
  });

  afterAll(async () => await subject.close());

  it('C-64 P-42 enqueues tasks in order and answers in order', async () => {
    const results = await subject.client.enqueueMany([
      ['a', 1, { queue }],
      ['b', 2, { queue }],
      ['c', 3, { queue, processIn: '1h' }],
      ['d', undefined, { queue }],
    ]);
    expect(results.map((result) => result.status)).toEqual(Array.from({ length: 4 }, () => 'enqueued'));
    expect(results).toMatchObject([
      { info: { type: 'a' } },
      { info: { type: 'b' } },
      { info: { type: 'c', state: 'scheduled', nextProcessAt: new Date(now.getTime() + 3_600_000) } },
      { info: { type: 'd', payload: Buffer.alloc(0) } },
    ]);
    const [a, b, , d] = infosOf(results);
    expect(await subject.pendingIds(queue)).toEqual([a, b, d]);
  });

  it('C-65 C-66 takes scheduled, grouped and unique tasks as well', async () => {
    const Sweep = defineTask('sweep', { queue });
    const results = await subject.client.enqueueMany([
      [Sweep, 1, { processAt: new Date(now.getTime() + 1) }],
      [Sweep, 1, { group: 'g' }],
      [Sweep, 1, { unique: '1h' }],
      [Sweep, 1, { unique: '1h' }],
    ]);
    expect(results).toMatchObject([
      { info: { state: 'scheduled' } },
      { info: { state: 'aggregating', group: 'g' } },
      { info: { state: 'pending' } },
      { status: 'rejected', error: { code: 'ASYNQ_DUPLICATE_TASK' } },
    ]);
  });

  it('C-67 C-03 P-41 reports what is wrong with an item and enqueues the others', async () => {
    await subject.client.enqueue('x', 1, { queue, taskId: 'taken' });
    const results = await subject.client.enqueueMany([
      ['a', 1, { queue }],
      [' ', 1, { queue }],
      ['a', 1, { queue, group: '' }],
      [undefined as never],
      'a' as never,
      ['a', 1n, { queue }],
      ['a', 1, { queue, taskId: 'taken' }],
      ['b', 1, { queue }],
    ]);
    const codes = results.map((result) => (result.status === 'rejected' ? result.error.code : result.status));
    expect(codes).toEqual([
      'enqueued',
      'ASYNQ_INVALID_TASK',
      'ASYNQ_INVALID_OPTION',
      'ASYNQ_INVALID_TASK',
      'ASYNQ_INVALID_TASK',
      'ASYNQ_INVALID_TASK',
      'ASYNQ_TASK_ID_CONFLICT',
      'enqueued',
    ]);
    expect(await subject.pendingIds(queue)).toHaveLength(3);
  });

  it('C-70 reports an id that is taken, also by an earlier item', async () => {
    const item: EnqueueItem = ['a', 1, { queue, taskId: 'twice' }];
    const [first, second] = await subject.client.enqueueMany([item, item]);
    expect(first).toMatchObject({ status: 'enqueued' });
    expect(second).toMatchObject({ status: 'rejected', error: { code: 'ASYNQ_TASK_ID_CONFLICT', taskId: 'twice' } });
  });

  it('C-71 sends headers', async () => {
    const Sweep = defineTask('sweep', { queue, headers: { a: '1' } });
    const [result] = await subject.client.enqueueMany([[Sweep, 1, { headers: { b: '2' } }]]);
    const [id] = infosOf([result!]);
    expect((await subject.messageOf(id!, queue)).headers).toEqual({ a: '1', b: '2' });
  });

  it('C-69 returns an empty list for an empty list', async () => {
    expect(await subject.client.enqueueMany([])).toEqual([]);
  });

  it('C-72 works right after the scripts were forgotten', async () => {
    await subject.redis.script('FLUSH');
    const results = await subject.client.enqueueMany(Array.from({ length: 3 }, () => ['a', 1, { queue }] as const));
    expect(await subject.pendingIds(queue)).toEqual(infosOf(results));
  });

  it('enqueues ten thousand tasks of several queues, each in order', async () => {
    const queues = [queue, subject.anotherQueue(), subject.anotherQueue()];
    const items = Array.from({ length: 10_000 }, (_, index): EnqueueItem => [
      'a',
      index,
      { queue: queues[index % 3]! },
    ]);
    const results = await subject.client.enqueueMany(items);
    const ids = infosOf(results);
    for (const [index, name] of queues.entries()) {
      expect(await subject.pendingIds(name)).toEqual(ids.filter((_, at) => at % 3 === index));
    }
  });

  it('keeps the order when some schemas are asynchronous', async () => {
    const slow = async (value: unknown) => await Promise.resolve({ value });
    const Slow = defineTask('slow', { queue, schema: { '~standard': { version: 1, vendor: 'test', validate: slow } } });
    const results = await subject.client.enqueueMany([
      [Slow, 1],
      ['quick', 2, { queue }],
      [Slow, 3],
    ]);
    expect(await subject.pendingIds(queue)).toEqual(infosOf(results));
  });

  it('refuses a value that is not a list', async () => {
    await expect(subject.client.enqueueMany('email:send' as never)).rejects.toMatchObject({
      code: 'ASYNQ_INVALID_OPTION',
      message: 'enqueueMany: items must be an array, got "email:send"',
    });
  });
});
