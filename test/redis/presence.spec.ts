import { decodeServerInfo, decodeWorkerInfo } from '../../lib/model/broker/presence.codec.js';
import type { ServerInfo, WorkerInfo } from '../../lib/model/broker/presence.js';
import { ms } from '../../lib/model/time/duration.js';
import { until } from '../support/until.js';
import { now, nowSeconds } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';
import { signalListener } from '../support/signal-listener.js';

describe('presence of servers', () => {
  let tasks: QueueUnderTest;
  let server: ServerInfo;
  let serverId: string;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
    server = {
      host: 'host',
      pid: 42,
      serverId: tasks.queue,
      concurrency: 10,
      queues: { critical: 6, low: 1 },
      strictPriority: true,
      status: 'active',
      startedAt: now,
      activeWorkerCount: 1,
    };
    serverId = `host:42:${tasks.queue}`;
  });
  afterEach(async () => {
    await tasks.broker.presence.clearServer(server);
    await tasks.close();
  });

  const aWorker = (taskId: string): WorkerInfo => ({
    host: 'host',
    pid: 42,
    serverId: tasks.queue,
    taskId,
    taskType: 'email:send',
    taskPayload: Buffer.from([0, 255]),
    queue: tasks.queue,
    startedAt: now,
    deadline: now,
  });
  const publish = async (workers: readonly WorkerInfo[], ttl = 10_000): Promise<void> =>
    await tasks.broker.presence.publishServer({ server, workers, ttl: ms(ttl), now });
  const serverKey = (): string => `asynq:servers:{${serverId}}`;
  const workersKey = (): string => `asynq:workers:{${serverId}}`;

  it('P-104 P-15 publishes a server for a while, and lists it with the end of that', async () => {
    await publish([]);
    const record = (await tasks.redis.getBuffer(serverKey())) ?? Buffer.alloc(0);
    expect(decodeServerInfo(record)).toMatchObject({ ok: true, value: server });
    expect(await tasks.redis.ttl(serverKey())).toBeGreaterThan(5);
    expect(await tasks.redis.ttl(serverKey())).toBeLessThanOrEqual(10);
    expect(await tasks.redis.zscore('asynq:servers', serverKey())).toBe(String(nowSeconds + 10));
  });

  it('P-105 publishes a field for each running task, and no key for none', async () => {
    await publish([]);
    expect(await tasks.redis.exists(workersKey())).toBe(0);
    expect(await tasks.redis.zscore('asynq:workers', workersKey())).toBeNull();
    await publish([aWorker('a'), aWorker('b')]);
    expect(await tasks.redis.zscore('asynq:workers', workersKey())).toBe(String(nowSeconds + 10));
    expect((await tasks.redis.hkeys(workersKey())).toSorted()).toEqual(['a', 'b']);
    const record = (await tasks.redis.hgetBuffer(workersKey(), 'a')) ?? Buffer.alloc(0);
    expect(decodeWorkerInfo(record)).toMatchObject({ ok: true, value: aWorker('a') });
    expect(await tasks.redis.ttl(workersKey())).toBeGreaterThan(5);
    await publish([aWorker('b')]);
    expect(await tasks.redis.hkeys(workersKey())).toEqual(['b']);
    await publish([]);
    expect(await tasks.redis.exists(workersKey())).toBe(0);
  });

  it('P-106 leaves nothing behind when it is cleared', async () => {
    await publish([aWorker('a')]);
    await tasks.broker.presence.clearServer(server);
    expect(await tasks.redis.exists(serverKey(), workersKey())).toBe(0);
    expect(await tasks.redis.zscore('asynq:servers', serverKey())).toBeNull();
    expect(await tasks.redis.zscore('asynq:workers', workersKey())).toBeNull();
  });

  it('Q-48 rounds a lifetime up to whole seconds, at least one', async () => {
    await publish([], 1_200);
    expect(await tasks.redis.zscore('asynq:servers', serverKey())).toBe(String(nowSeconds + 2));
    await publish([], 0);
    expect(await tasks.redis.zscore('asynq:servers', serverKey())).toBe(String(nowSeconds + 1));
  });
});

describe('signals', () => {
  let tasks: QueueUnderTest;
  let heard: unknown[];
  let unsubscribe: () => Promise<void>;
  beforeEach(async () => {
    tasks = QueueUnderTest.open();
    heard = [];
    const ours = (name: string, rest: readonly unknown[]): void => {
      if (name.startsWith(tasks.queue)) heard.push([name.slice(tasks.queue.length), ...rest]);
    };
    const listener = signalListener({
      onCancel: (taskId, request) => ours(taskId, ['cancel', ...(request === undefined ? [] : [request])]),
      onWake: (queue) => ours(queue, ['wake']),
      onDue: (queue, dueAt) => ours(queue, ['due', dueAt]),
    });
    unsubscribe = await tasks.broker.presence.subscribe(listener);
  });
  afterEach(async () => {
    await unsubscribe();
    await tasks.close();
  });

  it('P-110 receives the bare ids that any program publishes', async () => {
    await tasks.redis.publish('asynq:cancel', `${tasks.queue}-1`);
    await until('it is heard', () => heard.length > 0);
    expect(heard).toEqual([['-1', 'cancel']]);
  });

  it('P-111 publishes exactly the id to cancel', async () => {
    const plain = tasks.redis.duplicate();
    const messages: string[] = [];
    await plain.subscribe('asynq:cancel');
    plain.on('message', (_, message) => messages.push(message));
    await tasks.broker.presence.signalCancel(`${tasks.queue}-ü 1`);
    await until('it is heard', () => messages.includes(`${tasks.queue}-ü 1`) && heard.length > 0);
    expect(heard).toEqual([['-ü 1', 'cancel']]);
    plain.disconnect();
  });

  it('receives due times of queues with spaces in their names, and ignores other messages', async () => {
    const { queue } = tasks;
    for (const message of [`x ${queue}`, queue, ` ${queue}`, `12 ${queue} a b`]) {
      await tasks.redis.publish('asynq:x:due', message);
    }
    await until('the last is heard', () => heard.length > 0);
    expect(heard).toEqual([[' a b', 'due', 12]]);
  });

  it('receives requests to cancel, and ignores other messages', async () => {
    const id = `${tasks.queue}-1`;
    const request = { queue: 'q', id, outcome: 'delete' };
    const wrong = [
      'no json',
      'null',
      '[]',
      { ...request, outcome: 'explode' },
      { ...request, id: 1 },
      { outcome: 'delete' },
    ];
    for (const said of [...wrong, request]) {
      await tasks.redis.publish('asynq:x:cancel', typeof said === 'string' ? said : JSON.stringify(said));
    }
    await until('the last is heard', () => heard.length > 0);
    expect(heard).toEqual([['-1', 'cancel', { queue: 'q', outcome: 'delete' }]]);
  });
});
