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

  it('C-07 uses the options of the definition', async () => {
    const Import = defineTask<{ url: string }>('feed:import', { maxRetry: 5, retention: '1h' });
    const info = await subject.client.enqueue(Import, { url: 'x' });
    expect(info).toMatchObject({ type: 'feed:import', maxRetry: 5, retention: 3_600_000, queue: subject.queue });
  });

  it('C-08 lets a call override one kind of them', async () => {
    const queue = subject.anotherQueue();
    const Import = defineTask('feed:import', { queue: subject.anotherQueue(), maxRetry: 5 });
    expect(await subject.client.enqueue(Import, null, { queue })).toMatchObject({ queue, maxRetry: 5 });
  });

  it('lets them override the defaults of the client, and the options of a call override both', async () => {
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

  it('sends the schema’s input, which is parsed once, for the handler', async () => {
    const Count = defineTask('user:count', {
      schema: z.object({ n: z.string().transform(Number), by: z.string().default('x') }),
    });
    const info = await subject.client.enqueue(Count, { n: '5' });
    const stored: unknown = JSON.parse(Buffer.from((await subject.messageOf(info.id)).payload).toString());
    expect(stored).toEqual({ n: '5' });
  });

  it('validates the payload as it will arrive, not as it was passed', async () => {
    const Late = defineTask('user:late', { schema: z.object({ at: z.coerce.date() }) });
    await expect(subject.client.enqueue(Late, { at: new Date(0) })).resolves.toMatchObject({ state: 'pending' });
    const Never = defineTask('user:never', { schema: z.object({ at: z.date() }) });
    await expect(subject.client.enqueue(Never, { at: new Date(0) })).rejects.toMatchObject({
      code: 'ASYNQ_INVALID_TASK',
      message: expect.stringMatching(
        /^Task "user:never" cannot be enqueued: the payload does not match its schema at at: .*; the given value does match, but not after encoding and decoding$/,
      ) as string,
    });
  });

  it('waits for an asynchronous schema', async () => {
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

  it('refuses a payload that does not match, and reports every issue', async () => {
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
});
