import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import { silentLogger } from '../../lib/engine/logger.js';
import { openBroker } from '../../lib/engine/open-broker.js';
import { AsynqScheduler } from '../../lib/engine/scheduler/asynq-scheduler.js';
import { AsynqServer } from '../../lib/engine/server/asynq-server.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import type { Broker } from '../../lib/model/broker/broker.js';
import { AsynqError } from '../../lib/model/errors/asynq-error.js';
import { DuplicateTaskError } from '../../lib/model/errors/task-errors.js';
import { defineTask } from '../../lib/model/task/task-definition.js';
import { queueKeys } from '../../lib/redis/keys.js';
import { deleteQueues, rawClient, sharedRedisUrl } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';

type Call = () => Promise<unknown>;

// Whoever reads the log of an application looks for this name.
async function placeOrder(call: Call): Promise<unknown> {
  return await call();
}

async function placeSecondOrder(call: Call): Promise<unknown> {
  return await call();
}

async function errorOf(call: Promise<unknown>): Promise<AsynqError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AsynqError) return error;
  throw new Error(`failed with an error of the library: ${String(error)}`);
}

describe('the stack of an error shows the caller', () => {
  const queue = uniqueQueue('stack');
  const redis = rawClient();
  const neverValid = defineTask('never', {
    schema: {
      '~standard': { version: 1, vendor: 'test', validate: async () => ({ issues: [{ message: 'not valid' }] }) },
    },
  });
  let broker: Broker;
  let nowhere: Broker;
  let client: AsynqClient;
  let lost: AsynqClient;

  beforeAll(() => {
    const deps = { clock: systemClock, logger: silentLogger };
    broker = openBroker(sharedRedisUrl(), deps);
    nowhere = openBroker('redis://127.0.0.1:1', { ...deps, connectTimeout: '20ms', commandTimeout: '20ms' });
    client = new AsynqClient({ broker, defaults: { queue } });
    lost = new AsynqClient({ broker: nowhere, enqueueTimeout: '20ms' });
  });

  afterAll(async () => {
    await Promise.all([client.close(), lost.close()]);
    await Promise.all([broker.close(), nowhere.close()]);
    await deleteQueues(redis, [queue]);
    redis.disconnect();
  });

  const closed = async (call: (client: AsynqClient) => Promise<unknown>): Promise<unknown> => {
    const unused = new AsynqClient({ redis: 'memory:' });
    await unused.close();
    return await call(unused);
  };
  const schedulerOn = (where: Broker): AsynqScheduler => {
    const scheduler = new AsynqScheduler({ broker: where, defaults: { queue } });
    scheduler.register('@every 1h', 'tick', undefined, { id: 'tick' });
    return scheduler;
  };

  it.each<[string, string, Call]>([
    ['enqueue: a duplicate', 'ASYNQ_DUPLICATE_TASK', () => client.enqueue('a', 1, { unique: '1m' })],
    ['enqueue: a taken id', 'ASYNQ_TASK_ID_CONFLICT', () => client.enqueue('a', 2, { taskId: 'taken' })],
    ['enqueue: a wrong option', 'ASYNQ_INVALID_OPTION', () => client.enqueue('a', 3, { queue: '' })],
    ['enqueue: a schema that takes its time', 'ASYNQ_INVALID_TASK', () => client.enqueue(neverValid, undefined)],
    ['enqueue: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => lost.enqueue('a')],
    ['enqueue: closed', 'ASYNQ_INVALID_STATE', () => closed((unused) => unused.enqueue('a'))],
    ['enqueueMany: not a list', 'ASYNQ_INVALID_OPTION', () => client.enqueueMany('a' as never)],
    ['cancel: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => lost.cancel('1')],
    ['cancel: a blank id', 'ASYNQ_INVALID_OPTION', () => client.cancel('')],
    ['signalCancel: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => lost.signalCancel('1')],
    ['ping: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => lost.ping()],
    ['server.ping: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => new AsynqServer({ broker: nowhere }).ping()],
    ['server.start: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => new AsynqServer({ broker: nowhere }).start(() => {})],
    ['server.run: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => new AsynqServer({ broker: nowhere }).run(() => {})],
    ['scheduler.ping: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => new AsynqScheduler({ broker: nowhere }).ping()],
    ['scheduler.runNow: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => schedulerOn(nowhere).runNow('tick')],
    ['scheduler.runNow: an unknown id', 'ASYNQ_SCHEDULE_NOT_FOUND', () => schedulerOn(broker).runNow('tock')],
    ['broker.open: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => nowhere.open()],
    ['broker.ping: no Redis', 'ASYNQ_BROKER_UNAVAILABLE', () => nowhere.ping()],
  ])('%s', async (_, code, call) => {
    await client.enqueueMany([
      ['a', 1, { unique: '1m' }],
      ['a', 2, { taskId: 'taken' }],
    ]);
    const error = await errorOf(placeOrder(call));
    expect(error.code).toBe(code);
    expect(error.stack).toContain(`${error.name}: ${error.message}\n`);
    expect(error.stack).toMatch(/ placeOrder .*caller-stack\.spec/);
  });

  it('also for each task that enqueueMany refused', async () => {
    const results = (await placeOrder(() =>
      client.enqueueMany([
        ['a', 4, { taskId: 'one' }],
        ['a', 5, { taskId: 'one' }],
        ['a', 6, { queue: '' }],
      ]),
    )) as Awaited<ReturnType<AsynqClient['enqueueMany']>>;
    const stacks = results.flatMap((result) => (result.status === 'rejected' ? [result.error.stack] : []));
    expect(stacks).toEqual([
      expect.stringMatching(/^TaskIdConflictError: [^]* placeOrder /),
      expect.stringMatching(/^InvalidOptionError: [^]* placeOrder /),
    ]);
  });

  it('for each caller separately, when one failed command affects them all', async () => {
    const broken = uniqueQueue('stack');
    await redis.set(queueKeys(broken).pending, 'not a list');
    const enqueue: Call = () => client.enqueue('a', undefined, { queue: broken });
    const [first, second] = await Promise.all([errorOf(placeOrder(enqueue)), errorOf(placeSecondOrder(enqueue))]);
    expect([first.code, second.code]).toEqual(['ASYNQ_BROKER_COMMAND', 'ASYNQ_BROKER_COMMAND']);
    expect(first.stack).toContain(' placeOrder ');
    expect(second.stack).toContain(' placeSecondOrder ');
    expect(second.stack).not.toContain(' placeOrder ');
    await deleteQueues(redis, [broken]);
  });

  it('without changing the error’s class, fields or cause', async () => {
    await client.enqueue('b', undefined, { unique: '1m' });
    const duplicate = await errorOf(placeOrder(() => client.enqueue('b', undefined, { unique: '1m' })));
    expect(duplicate).toBeInstanceOf(DuplicateTaskError);
    expect(duplicate).toMatchObject({ name: 'DuplicateTaskError', queue, type: 'b' });
    const unreachable = await errorOf(placeOrder(() => lost.ping()));
    expect(unreachable.cause).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
  });
});
