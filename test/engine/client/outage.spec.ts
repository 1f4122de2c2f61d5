import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import { silentLogger } from '../../../lib/engine/logger.js';
import { openBroker } from '../../../lib/engine/open-broker.js';
import { systemClock } from '../../../lib/engine/system-clock.js';
import { BrokerCommandError, BrokerUnavailableError } from '../../../lib/model/errors/broker-errors.js';
import { watchLeaks } from '../../support/leak-check.js';
import { startRedis } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { eventLoopTurns, VirtualClock } from '../../support/virtual-clock.js';
import { ClientUnderTest } from './client-under-test.js';
import { WatchedBroker } from './watched-broker.js';

// Nothing listens on port 1.
const nowhere = 'redis://127.0.0.1:1';
const unavailable = { code: 'ASYNQ_BROKER_UNAVAILABLE' };

describe('a client without Redis', () => {
  it('C-82 can be created and closed', async () => {
    const leaks = watchLeaks();
    await new AsynqClient({ redis: nowhere }).close();
    await leaks.expectNone();
  });

  it('C-68 gives up on tasks after their limit, in order, and says that they were not enqueued', async () => {
    const leaks = watchLeaks();
    const client = new AsynqClient({ redis: nowhere, enqueueTimeout: '50ms' });
    const results = await client.enqueueMany([['a'], ['b'], ['a', 1, { taskId: 'x' }]]);
    expect(results).toMatchObject(Array.from({ length: 3 }, () => ({ status: 'rejected', error: unavailable })));
    await expect(client.enqueue('email:send')).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringMatching(
        /^Redis could not be reached in time, so task "email:send" was not enqueued: Redis at .* cannot be reached: connect ECONNREFUSED/,
      ) as string,
      cause: expect.any(BrokerUnavailableError) as Error,
    });
    await client.close();
    await leaks.expectNone();
  });

  it('sends waiting tasks as soon as Redis is there', async () => {
    const server = await startRedis();
    await server.kill();
    const client = new AsynqClient({ redis: server.url, enqueueTimeout: '20s' });
    const infos = Promise.all([client.enqueue('a'), client.enqueue('b', 1, { taskId: 'mine' })]);
    await server.start();
    expect(await infos).toMatchObject([{ type: 'a' }, { id: 'mine' }]);
    await client.close();
    await server.stop();
  });
});

describe('a client whose Redis goes away', () => {
  it('holds tasks back and sends them, in order, when it is back', async () => {
    const server = await startRedis({ appendonly: true });
    const broker = openBroker(server.url, { clock: systemClock, logger: silentLogger });
    const watched = new WatchedBroker(broker);
    const client = new AsynqClient({ broker: watched.broker, enqueueTimeout: '20s' });
    await client.enqueue('first');
    await server.kill();
    await until('the loss is noticed', () => !broker.isAvailable());
    const waiting = Array.from({ length: 700 }, (_, index) => client.enqueue('x', index, { taskId: `task-${index}` }));
    await eventLoopTurns(5);
    expect(watched.calls).toHaveLength(1);
    await server.start();
    const infos = await Promise.all(waiting);
    const { messages } = await broker.work.dequeue({
      queue: 'default',
      limit: 1_000,
      now: systemClock.now(),
      leaseUntil: systemClock.now(),
      owner: 'test:1:x',
    });
    expect(messages.slice(1).map((message) => message.id)).toEqual(infos.map((info) => info.id));
    await client.close();
    await broker.close();
    await server.stop();
  });
});

describe('a lost reply', () => {
  let subject: ClientUnderTest;
  let watched: WatchedBroker;
  let clock: VirtualClock;
  let client: AsynqClient;
  const lost = new BrokerUnavailableError('The connection was lost');

  beforeEach(async () => {
    subject = ClientUnderTest.open();
    watched = new WatchedBroker(subject.broker);
    clock = new VirtualClock({ settle: async () => await subject.broker.ping() });
    client = new AsynqClient({ broker: watched.broker, clock, defaults: { queue: subject.queue } });
    await client.ping();
  });

  afterEach(async () => {
    await client.close();
    await subject.close();
  });

  it('causes tasks with a generated id to be sent again, and stored once', async () => {
    watched.loseAnswers(() => (watched.calls.length < 3 ? lost : undefined));
    const enqueued = Promise.all([client.enqueue('a', 1, { unique: '1h' }), client.enqueue('b'), client.enqueue('c')]);
    await until('the answer is lost', () => clock.armedTimers > 0);
    await clock.advance('300ms');
    const infos = await enqueued;
    expect(watched.calls.length).toBeGreaterThan(1);
    expect(await subject.pendingIds()).toEqual(infos.map((info) => info.id));
  });

  it('keeps the order of later tasks', async () => {
    let answers = 0;
    watched.loseAnswers(() => (answers++ === 0 ? lost : undefined));
    watched.hold();
    const enqueued: Promise<{ readonly id: string }>[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      enqueued.push(client.enqueue('x', turn));
      await clock.settle();
    }
    watched.release();
    await until('the answer is lost', () => answers > 1);
    await clock.advance('1s');
    const ids = (await Promise.all(enqueued)).map((info) => info.id);
    expect(watched.calls.slice(2).flat()).toEqual([ids[0], ...ids.slice(2)]);
  });

  it('leaves the outcome of a task with the caller’s id unknown, and says so', async () => {
    watched.loseAnswers(() => lost);
    await expect(client.enqueue('a', 1, { taskId: 'mine' })).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining(
        'task "a" with id "mine" was being enqueued: whether it is stored is unknown',
      ) as string,
      cause: lost,
    });
    expect(watched.calls).toEqual([['mine']]);
  });

  it('is waited for up to the limit, and the error says that the task may be stored', async () => {
    watched.loseAnswers(() => lost);
    const refused = expect(client.enqueue('a')).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('whether it is stored is unknown') as string,
    });
    await until('the answer is lost', () => clock.armedTimers > 0);
    await clock.advance('11s');
    await refused;
    // Not in a tight loop.
    expect(watched.calls.length).toBeLessThan(120);
    expect(clock.armedTimers).toBe(0);
  });

  it('is not retried when Redis refused the command', async () => {
    const refusal = new BrokerCommandError('OOM command not allowed');
    watched.loseAnswers(() => refusal);
    await expect(client.enqueue('a')).rejects.toMatchObject({ name: refusal.name, message: refusal.message });
    expect(watched.calls).toHaveLength(1);
  });
});

describe('closing a client', () => {
  it('C-81 waits for tasks that are being enqueued and leaves a shared broker open', async () => {
    const subject = ClientUnderTest.open();
    const client = new AsynqClient({ broker: subject.broker, defaults: { queue: subject.queue } });
    const enqueued = client.enqueue('x');
    await Promise.all([client.close(), client.close()]);
    await expect(enqueued).resolves.toMatchObject({ state: 'pending' });
    await expect(subject.broker.ping()).resolves.toBeUndefined();
    await subject.close();
  });

  it('closes the connection that it opened, and refuses later calls', async () => {
    const server = await startRedis();
    const leaks = watchLeaks();
    const client = new AsynqClient({ redis: server.url });
    await client.enqueue('x');
    const last = client.enqueue('x');
    await client.close();
    await expect(last).resolves.toMatchObject({ state: 'pending' });
    await leaks.expectNone();
    const closed = { code: 'ASYNQ_INVALID_STATE', message: 'The client is closed' };
    await expect(client.enqueue('x')).rejects.toMatchObject(closed);
    await expect(client.enqueueMany([['x']])).rejects.toMatchObject(closed);
    await expect(client.cancel('x')).rejects.toMatchObject(closed);
    await expect(client.ping()).rejects.toMatchObject(closed);
    await server.stop();
  });
});
