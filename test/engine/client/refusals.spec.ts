import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import { ClientUnderTest, now } from './client-under-test.js';

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

describe('enqueue refuses, before anything is written,', () => {
  let subject: ClientUnderTest;

  beforeAll(() => {
    subject = ClientUnderTest.open();
  });

  afterAll(async () => await subject.close());

  afterEach(async () => {
    expect(await subject.redis.exists(subject.keys.pending, subject.keys.scheduled)).toBe(0);
  });

  it.each<[string, readonly unknown[], string, string]>([
    ['C-01 an empty type', [''], 'ASYNQ_INVALID_TASK', 'A task type must be text that is not blank, got ""'],
    ['C-02 a blank type', ['  '], 'ASYNQ_INVALID_TASK', 'A task type must be text that is not blank'],
    ['a type that is no Unicode', ['a\ud800'], 'ASYNQ_INVALID_TASK', 'valid Unicode'],
    ['C-03 no task', [undefined], 'ASYNQ_INVALID_TASK', 'got undefined'],
    ['C-03 null', [null], 'ASYNQ_INVALID_TASK', 'got null'],
    ['a number', [7], 'ASYNQ_INVALID_TASK', 'got 7'],
    ['a BigInt', ['x', { n: 1n }], 'ASYNQ_INVALID_TASK', 'Task "x" cannot be enqueued: the payload cannot be encoded'],
    ['a cycle', ['x', cyclic], 'ASYNQ_INVALID_TASK', 'circular'],
    ['a function', ['x', () => 1], 'ASYNQ_INVALID_TASK', 'JSON cannot represent a function'],
    ['a Map', ['x', { a: [new Map()] }], 'ASYNQ_INVALID_TASK', 'JSON would lose a Map at payload.a[0]'],
    ['a promise', ['x', Promise.resolve(1)], 'ASYNQ_INVALID_TASK', 'await it first'],
    ['C-19 a blank queue', ['x', 1, { queue: ' ' }], 'ASYNQ_INVALID_OPTION', 'enqueue: options.queue must be text'],
    ['C-21 a blank id', ['x', 1, { taskId: '' }], 'ASYNQ_INVALID_OPTION', 'enqueue: options.taskId must be text'],
    ['C-22 a blank group', ['x', 1, { group: '\t' }], 'ASYNQ_INVALID_OPTION', 'enqueue: options.group must be text'],
    ['C-23 a short lock', ['x', 1, { unique: 300 }], 'ASYNQ_INVALID_OPTION', 'at least one second, got 300'],
    [
      'C-16 a negative retry',
      ['x', 1, { maxRetry: -1 }],
      'ASYNQ_INVALID_OPTION',
      'options.maxRetry must be an integer',
    ],
    ['a negative timeout', ['x', 1, { timeout: -1 }], 'ASYNQ_INVALID_OPTION', 'options.timeout'],
    ['NaN', ['x', 1, { processIn: Number.NaN }], 'ASYNQ_INVALID_OPTION', 'options.processIn'],
    [
      'an unknown option',
      ['x', 1, { retries: 3 }],
      'ASYNQ_INVALID_OPTION',
      'enqueue: options.retries is not an option',
    ],
    ['options that are none', ['x', 1, null], 'ASYNQ_INVALID_OPTION', 'enqueue: options must be an object, got null'],
    [
      'a header that is no text',
      ['x', 1, { headers: { a: 1 } }],
      'ASYNQ_INVALID_OPTION',
      'options.headers.a must be a string, got 1',
    ],
    [
      'C-25 a deadline that has passed',
      ['x', 1, { deadline: now }],
      'ASYNQ_INVALID_OPTION',
      'enqueue: options.deadline must be in the future, got 2030-06-15T12:00:00.250Z',
    ],
    ['C-29 the Unix epoch as deadline', ['x', 1, { deadline: new Date(0) }], 'ASYNQ_INVALID_OPTION', 'in the future'],
  ])('%s', async (_what, args, code, message) => {
    const refused = subject.client.enqueue(...(args as [string]));
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  it('a payload that Redis would refuse', async () => {
    const payload = Buffer.alloc(512 * 1024 * 1024);
    await expect(subject.client.enqueue('x', payload)).rejects.toMatchObject({
      code: 'ASYNQ_INVALID_TASK',
      message: 'Task "x" cannot be enqueued: it takes about 513 MB, and Redis accepts at most 512 MB',
    });
  });
});

describe('a client refuses', () => {
  it.each<[string, unknown, string]>([
    ['an unknown option', { conection: 'x' }, 'AsynqClient: conection is not an option'],
    [
      'redis beside a broker',
      { redis: 'redis://x', broker: {} },
      'AsynqClient: redis must be left out when broker is given',
    ],
    [
      'a codec that is none',
      { codec: { encode: () => Buffer.alloc(0) } },
      'AsynqClient: codec.decode must be a function',
    ],
    ['no time', { enqueueTimeout: 0 }, 'AsynqClient: enqueueTimeout must be'],
    ['a wrong default', { defaults: { maxRetry: -1 } }, 'AsynqClient: defaults.maxRetry must be an integer'],
    ['no options at all', null, 'AsynqClient: must be an object, got null'],
  ])('%s', (_what, options, message) => {
    expect(() => new AsynqClient(options as never)).toThrow(message);
  });
});
