import type { ServerInfo, ServerStatus, WorkerInfo } from '../../lib/model/broker/presence.js';
import { type Ms, ms } from '../../lib/model/time/duration.js';
import { until } from '../support/until.js';
import { chapter } from './chapter.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, ids, later, now } from './task-words.js';

const serverOf = (tasks: QueueUnderTest, fields: Partial<ServerInfo> = {}): ServerInfo => ({
  host: 'host',
  pid: 42,
  serverId: tasks.queue,
  concurrency: 10,
  queues: { critical: 6, low: 1 },
  strictPriority: true,
  status: 'active',
  startedAt: now,
  activeWorkerCount: 1,
  ...fields,
});
const idOf = (tasks: QueueUnderTest): string => `host:42:${tasks.queue}`;
const workerOf = (tasks: QueueUnderTest, taskId: string): WorkerInfo => ({
  host: 'host',
  pid: 42,
  serverId: tasks.queue,
  taskId,
  taskType: 'email:send',
  taskPayload: Buffer.from([0, 255]),
  queue: tasks.queue,
  startedAt: now,
  deadline: after(60_000),
});
const publish = async (
  tasks: QueueUnderTest,
  workerIds: readonly string[] = [],
  { ttl = ms(10_000), ...fields }: Partial<ServerInfo> & { readonly ttl?: Ms } = {},
): Promise<void> => {
  const workers = workerIds.map((id) => workerOf(tasks, id));
  await tasks.broker.presence.publishServer({ server: serverOf(tasks, fields), workers, ttl, now });
};
const clear = async (tasks: QueueUnderTest): Promise<void> => await tasks.broker.presence.clearServer(serverOf(tasks));
const published = async (tasks: QueueUnderTest) => await tasks.fleet.server(idOf(tasks));
const isAlive = async (tasks: QueueUnderTest) => (await tasks.other.presence.listAlive([idOf(tasks)])).has(idOf(tasks));

export const presence = chapter('presence of servers', (it) => {
  it('P-104 P-15 publishes a server for a while', async (tasks) => {
    await publish(tasks);
    const { server, ttl } = (await published(tasks)) ?? {};
    expect(server).toMatchObject(serverOf(tasks));
    expect(ttl).toBeGreaterThan(5_000);
    expect(ttl).toBeLessThanOrEqual(10_000);
    await clear(tasks);
  });

  it('P-105 publishes the running tasks, replacing what it published before', async (tasks) => {
    const workersOf = async () =>
      [...((await published(tasks))?.workers ?? [])].toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1));
    await publish(tasks);
    expect(await workersOf()).toEqual([]);
    await publish(tasks, ['a', 'b']);
    expect(await workersOf()).toMatchObject([workerOf(tasks, 'a'), workerOf(tasks, 'b')]);
    await publish(tasks, ['b']);
    expect((await workersOf()).map(({ taskId }) => taskId)).toEqual(['b']);
    await publish(tasks);
    expect(await workersOf()).toEqual([]);
    await clear(tasks);
  });

  it('P-105 publishes thousands of running tasks', async (tasks) => {
    await publish(tasks, ids(5_000));
    expect((await published(tasks))?.workers).toHaveLength(5_000);
    await clear(tasks);
  });

  it('P-106 leaves nothing behind when it is cleared', async (tasks) => {
    await publish(tasks, ['a']);
    await clear(tasks);
    expect(await published(tasks)).toBeUndefined();
    expect(await isAlive(tasks)).toBe(false);
    await clear(tasks);
  });

  for (const status of ['new', 'active', 'stopped', 'closed'] satisfies ServerStatus[]) {
    it(`P-107 publishes that a server is ${status}`, async (tasks) => {
      await publish(tasks, [], { status });
      expect((await published(tasks))?.server.status).toBe(status);
      await clear(tasks);
    });
  }

  it('Q-48 rounds a lifetime up to whole seconds, at least one', async (tasks) => {
    const livesLonger = async (ttl: Ms): Promise<boolean> => {
      await publish(tasks, [], { ttl });
      return ((await published(tasks))?.ttl ?? 0) > ttl;
    };
    await until('a second that has begun counts as one', async () => await livesLonger(ms(60_001)));
    await until('there is at least one second', async () => await livesLonger(ms(0)));
    await clear(tasks);
  });

  it('vanishes unless it is published again', async (tasks) => {
    await until('it is seen', async () => {
      await publish(tasks, ['a'], { ttl: ms(1) });
      return await isAlive(tasks);
    });
    await until('it is over', async () => !(await isAlive(tasks)));
    expect(await published(tasks)).toBeUndefined();
    await clear(tasks);
  });

  it('lists the servers that are published, with their queues and the groups that they aggregate', async (tasks) => {
    const listed = async () =>
      (await tasks.other.presence.listServers()).find(({ serverId }) => serverId === tasks.queue);
    expect(await listed()).toBeUndefined();
    await publish(tasks);
    expect(await listed()).toMatchObject(serverOf(tasks));
    expect((await listed())?.aggregates).toBeUndefined();
    const aggregates = [
      { queue: undefined, prefix: '' },
      { queue: 'low', prefix: 'digest:' },
    ];
    await publish(tasks, [], { aggregates });
    expect((await listed())?.aggregates?.map(({ queue, prefix }) => ({ queue, prefix }))).toEqual(aggregates);
    await publish(tasks, [], { aggregates: [] });
    expect((await listed())?.aggregates).toEqual([]);
    await clear(tasks);
    expect(await listed()).toBeUndefined();
  });

  it('tells which servers live', async (tasks) => {
    await publish(tasks);
    const { presence: seen } = tasks.other;
    expect(await seen.listAlive([idOf(tasks), 'host:1:gone'])).toEqual(new Set([idOf(tasks)]));
    expect(await seen.listAlive([])).toEqual(new Set());
    await clear(tasks);
  });
});

export const signaling = chapter('signals', (it) => {
  it('P-110 P-111 cancels by the bare id, as any program does, whether or not there is such a task', async (tasks) => {
    const heard = await tasks.listen();
    await tasks.broker.presence.signalCancel(`${tasks.queue}-ü 1`);
    await until('it is heard', () => heard.lines.length > 0);
    expect(heard.lines).toEqual(['cancel -ü 1']);
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  it('are heard by the broker that sends them, too', async (tasks) => {
    const own = await tasks.listen(tasks.broker);
    await tasks.enqueue({ id: 'a' });
    expect(await own.everything()).toEqual(['wake']);
  });

  it('are heard by every listener', async (tasks) => {
    const listeners = [await tasks.listen(), await tasks.listen(), await tasks.listen(tasks.broker)];
    await tasks.enqueue(later('a', after(5_000)));
    for (const { lines } of listeners) await until('all hear it', () => lines.includes('due +5000'));
  });

  it('tell due times of queues with spaces in their names', async (tasks) => {
    const odd = await tasks.sibling(`${tasks.queue} a b`);
    const heard = await odd.listen();
    await odd.enqueue({ id: 'a' }, later('b', after(5_000)));
    expect((await heard.everything()).toSorted()).toEqual(['due +5000', 'wake']);
  });

  it('no longer reach a removed listener, but still reach the others', async (tasks) => {
    const [gone, other] = [await tasks.listen(), await tasks.listen()];
    await gone.stop();
    await tasks.enqueue({ id: 'a' });
    expect(await other.everything()).toEqual(['wake']);
    expect(gone.lines).toEqual([]);
    await gone.stop();
  });
});
