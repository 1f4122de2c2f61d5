import { ms } from '../../lib/model/time/duration.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { BrokerCommandError, BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import { createRedisConnection } from '../../lib/redis/connection/create-connection.js';
import { RedisBroker } from '../../lib/redis/redis-broker.js';
import { sharedRedisUrl, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { QueueUnderTest } from './queue-under-test.js';

describe('waiting for a task', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  const wait = (options: { readonly timeout?: number; readonly signal?: AbortSignal } = {}) =>
    tasks.broker.work.waitForTask({
      queue: tasks.queue,
      timeout: ms(options.timeout ?? 20_000),
      signal: options.signal ?? new AbortController().signal,
    });
  const blocked = async (): Promise<boolean> =>
    /blocked_clients:[1-9]/.test(await tasks.redis.info('clients')) &&
    String(await tasks.redis.client('LIST')).includes('cmd=blmove');

  it('hears tasks that other programs enqueue', async () => {
    const waiting = wait();
    await until('the server lets us wait', blocked);
    await tasks.redis.lpush(tasks.keys.pending, 'a');
    expect(await waiting).toBe('task');
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('tells its caller to poll where the server does not allow waiting', async () => {
    const server = await startRedis({ acl: ['default on nopass ~* &* +@all -blmove'] });
    const refused = QueueUnderTest.open({ url: server.url });
    const signal = new AbortController().signal;
    await refused.enqueue({ id: 'a' });
    expect(await refused.broker.work.waitForTask({ queue: refused.queue, timeout: ms(10_000), signal })).toBe('busy');
    expect((await refused.dequeue()).messages).toHaveLength(1);
    await refused.close();
    await server.stop();
  });
});

describe('finding queues with tasks', () => {
  it('names those of which the server does not tell, so that fetching from them says why', async () => {
    const acl = ['default on nopass ~* &* +@all', 'some on >secret ~asynq:{seen-* ~asynq:queues &* +@all'];
    const server = await startRedis({ acl });
    const tasks = QueueUnderTest.open({ url: server.url.replace('redis://', 'redis://some:secret@'), queue: 'seen-1' });
    await tasks.enqueue({ id: 'a' });
    expect(await tasks.broker.work.findWithTasks(['seen-0', 'hidden', 'seen-1'])).toEqual(['hidden', 'seen-1']);
    await tasks.close();
    await server.stop();
  });

  it('names those of other nodes while a node of a cluster is down', async () => {
    const tasks = QueueUnderTest.open();
    const connection = createRedisConnection(sharedRedisUrl(), { clock: systemClock });
    const send: typeof connection.send = async (command, args) => {
      // As a cluster answers to keys of several nodes, and a client without the node of a key.
      if (args.length > 1) throw new BrokerCommandError('CROSSSLOT');
      if (String(args[0]).includes('{down}')) throw new BrokerUnavailableError('no node');
      return await connection.send(command, args);
    };
    const proxy = new Proxy(connection, {
      get: (target, name) => {
        if (name === 'send') return send;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const broker = new RedisBroker(proxy);
    await broker.open();
    await tasks.enqueue({ id: 'a' });
    expect(await broker.work.findWithTasks(['down', tasks.queue])).toEqual([tasks.queue]);
    await expect(broker.work.findWithTasks(['down'])).rejects.toThrow('no node');
    await broker.close();
    await tasks.close();
  });
});
