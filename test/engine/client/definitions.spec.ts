import { z } from 'zod';
import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import { defineTask } from '../../../lib/model/task/task-definition.js';
import { ClientUnderTest } from './client-under-test.js';

describe('enqueue with a definition', () => {
  let subject: ClientUnderTest;

  beforeAll(() => {
    subject = ClientUnderTest.open();
  });

  afterAll(async () => await subject.close());

  it('C-07 uses its options', async () => {
    const Import = defineTask<{ url: string }>('feed:import', { maxRetry: 5, retention: '1h' });
    const info = await subject.client.enqueue(Import, { url: 'x' });
    expect(info).toMatchObject({ type: 'feed:import', maxRetry: 5, retention: 3_600_000, queue: subject.queue });
  });

  it('C-08 lets a call override one kind of them', async () => {
    const queue = subject.anotherQueue();
    const Import = defineTask('feed:import', { queue: subject.anotherQueue(), maxRetry: 5 });
    expect(await subject.client.enqueue(Import, null, { queue })).toMatchObject({ queue, maxRetry: 5 });
  });

  it('puts them over the defaults of the client, and those of a call over both', async () => {
    const client = new AsynqClient({
      broker: subject.broker,
      defaults: { queue: subject.queue, maxRetry: 1, timeout: '1m', headers: { app: 'a', who: 'client' } },
    });
    const Import = defineTask('feed:import', { maxRetry: 2, headers: { who: 'task' } });
    const info = await client.enqueue(Import, null, { timeout: '2m', headers: { call: 'c' } });
    expect(info).toMatchObject({ queue: subject.queue, maxRetry: 2, timeout: 120_000 });
    expect(info.headers).toEqual({ app: 'a', who: 'task', call: 'c' });
    expect(await client.enqueue('other')).toMatchObject({ maxRetry: 1, timeout: 60_000 });
  });

  it('C-58 C-59 C-60 C-62 sends its headers and those of the call, also when the task waits', async () => {
    const Import = defineTask('feed:import', { headers: { a: 'task', b: 'task' } });
    for (const options of [{}, { processIn: '1h' }, { group: 'g' }] as const) {
      const info = await subject.client.enqueue(Import, null, { ...options, headers: { b: 'call', c: 'é😀' } });
      expect(info.headers).toEqual({ a: 'task', b: 'call', c: 'é😀' });
      expect((await subject.messageOf(info.id)).headers).toEqual({ a: 'task', b: 'call', c: 'é😀' });
    }
    expect(Import.options.headers).toEqual({ a: 'task', b: 'task' });
  });

  it('C-61 C-04 sends no headers when they are empty', async () => {
    const info = await subject.client.enqueue('x', null, { headers: {} });
    expect(info.headers).toBeUndefined();
    expect((await subject.messageOf(info.id)).headers).toBeUndefined();
  });

  const User = z.object({ userId: z.number(), locale: z.string().default('en') });

  it('sends what its schema makes of the payload', async () => {
    const Welcome = defineTask('user:welcome', { schema: User });
    const info = await subject.client.enqueue(Welcome, { userId: 1, secret: 'x' } as never);
    expect(JSON.parse(Buffer.from(info.payload).toString())).toEqual({ userId: 1, locale: 'en' });
  });

  it('waits for a schema that takes its time', async () => {
    const known = z
      .object({ userId: z.number() })
      .refine(async ({ userId }) => await Promise.resolve(userId === 1), 'no such user');
    const Welcome = defineTask('user:welcome', {
      schema: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: async (value: unknown) => await known['~standard'].validate(value),
        },
      },
    });
    await expect(subject.client.enqueue(Welcome, { userId: 1 })).resolves.toMatchObject({ state: 'pending' });
    await expect(subject.client.enqueue(Welcome, { userId: 2 })).rejects.toMatchObject({
      code: 'ASYNQ_INVALID_TASK',
      message: 'Task "user:welcome" cannot be enqueued: the payload does not match its schema: no such user',
    });
  });

  it('refuses a payload that does not match, with every fault', async () => {
    const Welcome = defineTask('user:welcome', { schema: User });
    await expect(subject.client.enqueue(Welcome, { userId: 'x', locale: 1 } as never)).rejects.toMatchObject({
      code: 'ASYNQ_INVALID_TASK',
      cause: { code: 'ASYNQ_INVALID_PAYLOAD', issues: [{ path: ['userId'] }, { path: ['locale'] }] },
    });
  });

  it('refuses a schema that throws, naming the task', async () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: () => {
          throw new Error('schema service is down');
        },
      },
    };
    await expect(subject.client.enqueue(defineTask('user:welcome', { schema }), 1)).rejects.toMatchObject({
      code: 'ASYNQ_INVALID_TASK',
      message: 'Task "user:welcome" cannot be enqueued: schema service is down',
    });
  });

  it('refuses a wrong payload at compile time', () => {
    const Typed = defineTask<{ userId: number }>('typed');
    const Bare = defineTask<undefined>('bare');
    const calls = (client: AsynqClient): unknown => [
      client.enqueue(Typed, { userId: 1 }),
      client.enqueue(Bare),
      client.enqueueMany([[Typed, { userId: 1 }, { processIn: '1h' }], ['untyped', { anything: true }], [Bare]]),
      client.enqueueMany([1, 2].map((userId) => [Typed, { userId }])),
      // @ts-expect-error -- the payloads are of another type
      client.enqueueMany(['1', '2'].map((userId) => [Typed, { userId }])),
      // @ts-expect-error -- the payload is of another type
      client.enqueue(Typed, { userId: '1' }),
      // @ts-expect-error -- the payload is missing
      client.enqueue(Typed),
      // @ts-expect-error -- the payload of the second is of another type
      client.enqueueMany([['untyped'], [Typed, { userId: '1' }]]),
      // @ts-expect-error -- no such option
      client.enqueue('x', 1, { retries: 3 }),
    ];
    expect(calls).toBeInstanceOf(Function);
  });
});
