import type { EnqueueOptions } from '../../../lib/model/task/task-options.js';
import { epochMs } from '../../../lib/model/time/duration.js';
import { ClientUnderTest, now } from './client-under-test.js';

const duplicate = { code: 'ASYNQ_DUPLICATE_TASK' };

describe('a unique task', () => {
  let subject: ClientUnderTest;
  let queue: string;

  beforeAll(() => {
    subject = ClientUnderTest.open();
  });

  beforeEach(() => {
    queue = subject.anotherQueue();
  });

  afterAll(async () => await subject.close());

  const enqueue = async (payload: unknown, options: EnqueueOptions) =>
    await subject.client.enqueue('email:send', payload, { queue, ...options });
  const lockOf = async (id: string): Promise<string> => (await subject.messageOf(id, queue)).uniqueKey;

  it('C-46 P-25 P-37 P-38 holds a lock for its time and refuses duplicates', async () => {
    const info = await enqueue({ u: 1 }, { unique: '1h' });
    const lock = `asynq:{${queue}}:unique:email:send:cfeb4906248f18cb94f202711c2a34cf`;
    expect(await lockOf(info.id)).toBe(lock);
    expect((await subject.fieldsOf(info.id, queue))['unique_key']).toBe(lock);
    expect(await subject.redis.get(lock)).toBe(info.id);
    expect(await subject.redis.ttl(lock)).toBeGreaterThan(3_595);
    expect(await subject.redis.ttl(lock)).toBeLessThanOrEqual(3_600);

    await expect(enqueue({ u: 1 }, { unique: '2h' })).rejects.toMatchObject({
      ...duplicate,
      queue,
      type: 'email:send',
    });
    expect(await subject.redis.get(lock)).toBe(info.id);
    expect(await subject.redis.ttl(lock)).toBeLessThanOrEqual(3_600);
    expect(await subject.pendingIds(queue)).toEqual([info.id]);
  });

  it.each<[string, EnqueueOptions, number]>([
    ['C-23 exactly a second', { unique: '1s' }, 1],
    ['1.5 s, rounded up', { unique: 1_500 }, 2],
    ['C-47 P-26 10 minutes and an hour to wait', { unique: '10m', processIn: '1h' }, 4_200],
    ['C-48 10 minutes after an instant', { unique: '10m', processAt: new Date(now.getTime() + 1_800_000) }, 2_400],
    ['10 minutes and a time that has passed', { unique: '10m', processAt: new Date(0) }, 600],
    ['C-57 10 minutes in a group', { unique: '10m', group: 'g' }, 600],
  ])('holds its lock for %s', async (_what, options, seconds) => {
    const info = await enqueue({ u: 1 }, options);
    const ttl = await subject.redis.pttl(await lockOf(info.id));
    expect(Math.ceil(ttl / 1_000)).toBe(seconds);
  });

  it('P-45 P-37 also has its lock in its record while it is delayed', async () => {
    const info = await enqueue({ u: 1 }, { unique: '1h', processIn: '1h' });
    expect((await subject.fieldsOf(info.id, queue))['unique_key']).toBe(await lockOf(info.id));
    await expect(enqueue({ u: 1 }, { unique: '1h' })).rejects.toMatchObject(duplicate);
  });

  it('C-57 P-93 refuses duplicates in a group', async () => {
    await enqueue({ u: 1 }, { unique: '1h', group: 'g' });
    await expect(enqueue({ u: 1 }, { unique: '1h', group: 'h' })).rejects.toMatchObject(duplicate);
  });

  it('C-49 C-50 is no duplicate of a task with another queue, type or payload', async () => {
    await enqueue({ u: 1 }, { unique: '1h' });
    await enqueue({ u: 2 }, { unique: '1h' });
    await enqueue({ u: 1 }, { unique: '1h', queue: subject.anotherQueue() });
    await subject.client.enqueue('email:other', { u: 1 }, { queue, unique: '1h' });
    expect(await subject.pendingIds(queue)).toHaveLength(3);
  });

  it('C-51 P-24 is a duplicate whatever its headers are', async () => {
    await enqueue({ u: 1 }, { unique: '1h', headers: { a: '1' } });
    await expect(enqueue({ u: 1 }, { unique: '1h', headers: { a: '2' } })).rejects.toMatchObject(duplicate);
  });

  it('C-52 P-22 P-23 distinguishes no payload from an empty one', async () => {
    const none = await enqueue(undefined, { unique: '1h' });
    const empty = await enqueue(Buffer.alloc(0), { unique: '1h' });
    expect(await lockOf(none.id)).toBe(`asynq:{${queue}}:unique:email:send:`);
    expect(await lockOf(empty.id)).toBe(`asynq:{${queue}}:unique:email:send:d41d8cd98f00b204e9800998ecf8427e`);
    await expect(enqueue(undefined, { unique: '1h' })).rejects.toMatchObject(duplicate);
  });

  it('C-53 P-39 is reported as a duplicate even if its id is taken as well', async () => {
    await enqueue({ u: 1 }, { unique: '1h', taskId: 'a' });
    await expect(enqueue({ u: 1 }, { unique: '1h', taskId: 'a' })).rejects.toMatchObject(duplicate);
  });

  it('C-54 P-40 leaves no lock behind when its id is taken', async () => {
    await enqueue('other', { taskId: 'a' });
    await expect(enqueue({ u: 1 }, { unique: '1h', taskId: 'a' })).rejects.toMatchObject({
      code: 'ASYNQ_TASK_ID_CONFLICT',
    });
    await expect(enqueue({ u: 1 }, { unique: '1h' })).resolves.toMatchObject({ state: 'pending' });
  });

  const moment = epochMs(now.getTime());
  const settle = async (kind: 'done' | 'archive'): Promise<void> => {
    const lease = { now: moment, leaseUntil: epochMs(moment + 30_000), owner: 'test:1:x' };
    const { messages } = await subject.broker.work.dequeue({ queue, limit: 1, ...lease });
    const run = { takenAt: moment, leaseUntil: lease.leaseUntil, leaseAsked: lease.leaseUntil };
    const settlements = [{ ...run, settlement: { kind, message: messages[0]! } }];
    await subject.broker.work.settle({ queue, owner: lease.owner, settlements, now: moment });
  };

  it('C-55 allows an equal task once it has succeeded', async () => {
    await enqueue({ u: 1 }, { unique: '1h' });
    await settle('done');
    await expect(enqueue({ u: 1 }, { unique: '1h' })).resolves.toMatchObject({ state: 'pending' });
  });

  it('C-56 keeps its lock when it is archived', async () => {
    const info = await enqueue({ u: 1 }, { unique: '1h' });
    await settle('archive');
    await expect(enqueue({ u: 1 }, { unique: '1h' })).rejects.toMatchObject(duplicate);
    expect(await subject.redis.get(await lockOf(info.id))).toBe(info.id);
  });
});
