import { hostname } from 'node:os';
import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import type { EngineEvents } from '../../lib/engine/engine-events.js';
import type { Handler } from '../../lib/engine/middleware.js';
import { AsynqServer } from '../../lib/engine/server/asynq-server.js';
import type { ServerOptions } from '../../lib/engine/server/server-options.js';
import { MemoryBroker } from '../../lib/memory/memory-broker.js';
import { MemoryStore } from '../../lib/memory/memory-state.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { seededRandom } from '../support/seeded-random.js';
import { aGate, until } from '../support/until.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A store, and processes that share it: each server and the client have a broker of their own. */
class Fleet {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore();
  readonly client: AsynqClient;
  readonly logger = new RecordingLogger();
  readonly happened: string[] = [];
  readonly #brokers: MemoryBroker[] = [];
  readonly #servers: AsynqServer[] = [];

  constructor() {
    this.client = new AsynqClient({ broker: this.broker(), clock: this.clock });
  }

  broker(): MemoryBroker {
    const broker = new MemoryBroker({ store: this.store, clock: this.clock });
    this.#brokers.push(broker);
    return broker;
  }

  async start(handler: Handler, options: ServerOptions = {}): Promise<AsynqServer> {
    const { clock, logger } = this;
    const server = new AsynqServer({
      broker: this.broker(),
      clock,
      logger,
      random: seededRandom(),
      concurrency: 10,
      ...options,
    });
    for (const name of ['retry', 'archived', 'completed', 'canceled', 'recovered', 'requeued'] as const)
      server.events.on(name, ({ task }: EngineEvents[typeof name]) => void this.happened.push(`${name} ${task.id}`));
    this.#servers.push(server);
    await server.start(handler);
    return server;
  }

  /** Milliseconds since the start. */
  get elapsed(): number {
    return this.clock.monotonic();
  }

  stateOf(id: string): string {
    return this.store.queue('default').tasks.get(id)?.state ?? 'gone';
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.#servers.map(async (server) => await server.shutdown()));
    await this.clock.advance('10s');
    await closing;
    await this.client.close();
    for (const broker of this.#brokers) await broker.close();
    expect(this.clock.armedTimers).toBe(0);
  }
}

describe('a server in memory', () => {
  let fleet: Fleet;

  beforeEach(() => {
    fleet = new Fleet();
  });

  afterEach(async () => await fleet.close());

  it('retries with growing delays, and finally archives the task with its last error', async () => {
    const runs: number[] = [];
    await fleet.start(
      () => {
        runs.push(fleet.elapsed);
        throw new Error(`failure ${runs.length}`);
      },
      { retryDelay: (retried) => `${10 ** (retried + 1)}ms` },
    );
    const { id } = await fleet.client.enqueue('pay', {}, { maxRetry: 3 });
    await fleet.clock.advance('12s');
    expect(runs).toEqual([0, 10, 110, 1_110]);
    expect(fleet.stateOf(id)).toBe('archived');
    expect(fleet.happened).toEqual([...Array.from({ length: 3 }, () => `retry ${id}`), `archived ${id}`]);
    expect(fleet.store.queue('default').counters).toEqual({ processed: 4, failed: 4 });
  });

  it('goes through 25 retries with the default delays', async () => {
    let runs = 0;
    await fleet.start(() => {
      runs += 1;
      throw new Error('down');
    });
    const { id } = await fleet.client.enqueue('pay');
    const queue = fleet.store.queue('default');
    // From one due time to the next, as beats in between are not what this is about.
    for (let round = 0; round < 60 && fleet.stateOf(id) !== 'archived'; round += 1) {
      const dueAt = queue.retry.first?.score ?? fleet.clock.now();
      fleet.clock.jump(Math.max(0, dueAt - fleet.clock.now() - 1));
      await fleet.clock.advance('6s');
    }
    expect(runs).toBe(26);
    expect(fleet.stateOf(id)).toBe('archived');
  });

  it('runs scheduled tasks at their millisecond, in the order of their times, and none early', async () => {
    const runs: string[] = [];
    await fleet.start((task) => void runs.push(`${task.type} +${fleet.elapsed}`));
    const inMs = async (delay: number) =>
      await fleet.client.enqueue(`in-${delay}`, {}, { processAt: new Date(addMs(fleet.clock.now(), ms(delay))) });
    for (const delay of [2_000, 1_999, 1_234, 1, 86_400_000]) await inMs(delay);
    await fleet.clock.advance('1233ms');
    expect(runs).toEqual(['in-1 +1']);
    await fleet.clock.advance('1s');
    expect(runs.slice(1)).toEqual(['in-1234 +1234', 'in-1999 +1999', 'in-2000 +2000']);
  });

  it('refuses a duplicate until the task has ended or its lock has expired', async () => {
    const gate = aGate();
    await fleet.start(async () => await gate.opened);
    const unique = async () => await fleet.client.enqueue('pay', { order: 1 }, { unique: '1m', retention: '1h' });
    const refused = { code: 'ASYNQ_DUPLICATE_TASK' };
    const first = await unique();
    await fleet.clock.advance('10s');
    expect(fleet.stateOf(first.id)).toBe('active');
    await expect(unique()).rejects.toMatchObject(refused);
    await fleet.clock.advance('50s');
    const second = await unique();
    gate.open();
    await fleet.clock.settle();
    expect([fleet.stateOf(first.id), fleet.stateOf(second.id)]).toEqual(['completed', 'completed']);
    const third = await unique();
    expect(third.state).toBe('pending');
  });

  it('recovers the task of a dead server once its lease has ended, and retries it at once', async () => {
    const runs: string[] = [];
    const dead = fleet.broker();
    const { id } = await fleet.client.enqueue('pay', {}, { maxRetry: 5 });
    const now = fleet.clock.now();
    const leaseUntil = addMs(now, ms(30_000));
    await dead.work.dequeue({ queue: 'default', limit: 1, now, leaseUntil, owner: 'host:1:dead' });
    await fleet.start((task) => void runs.push(`${task.id} ${task.retried} +${fleet.elapsed}`));
    await fleet.clock.advance('29s');
    expect(runs).toEqual([]);
    await fleet.clock.advance('2s');
    expect(runs).toEqual([`${id} 1 +30000`]);
    expect(fleet.stateOf(id)).toBe('gone');
    expect(fleet.happened).toContain(`recovered ${id}`);
  });

  it('does not recover a task while its server extends the lease', async () => {
    const gate = aGate();
    const starts: string[] = [];
    for (const name of ['one', 'other'])
      await fleet.start(async () => {
        starts.push(name);
        await gate.opened;
      });
    const { id } = await fleet.client.enqueue('slow', {}, { timeout: '10m' });
    await fleet.clock.advance('3m');
    expect(starts).toHaveLength(1);
    expect(fleet.stateOf(id)).toBe('active');
    gate.open();
    await fleet.clock.settle();
    expect(fleet.stateOf(id)).toBe('gone');
  });

  it.each([
    ['archive', 'archived'],
    ['delete', 'gone'],
    ['retry', 'retry'],
  ] as const)('cancels a running task from another process, to %s it', async (outcome, state) => {
    await fleet.start(
      async (task) =>
        await new Promise((_resolve, reject) => {
          task.signal.addEventListener('abort', () => reject(task.signal.reason as Error), { once: true });
        }),
    );
    const { id } = await fleet.client.enqueue('slow');
    await fleet.clock.settle();
    expect(await fleet.client.cancel(id, { outcome })).toBe('signaled');
    await fleet.clock.settle();
    expect(fleet.stateOf(id)).toBe(state);
    expect(fleet.happened).toContain(`canceled ${id}`);
  });

  it('cancels a waiting task', async () => {
    const { id } = await fleet.client.enqueue('later', {}, { processIn: '1h' });
    expect(await fleet.client.cancel(id, { outcome: 'delete' })).toBe('deleted');
    expect(fleet.stateOf(id)).toBe('gone');
  });

  it('stops gracefully: waits for handlers, and puts unfinished tasks back at the head of the queue', async () => {
    const runs: string[] = [];
    const server = await fleet.start(
      async (task) => {
        runs.push(task.type);
        if (task.type === 'quick')
          return await new Promise((resolve) => fleet.clock.setTimer(ms(2_000), () => resolve(1)));
        return await new Promise(() => {});
      },
      { concurrency: 2, shutdownTimeout: '8s' },
    );
    const quick = await fleet.client.enqueue('quick');
    const endless = await fleet.client.enqueue('endless');
    await fleet.clock.settle();
    const waiting = await fleet.client.enqueue('waiting');
    const alive = async () => await fleet.broker().presence.listAlive([`${hostname()}:${process.pid}:${server.id}`]);
    expect((await alive()).size).toBe(1);
    const closing = server.shutdown();
    await fleet.clock.advance('9s');
    await closing;
    expect(runs).toEqual(['quick', 'endless']);
    expect(fleet.stateOf(quick.id)).toBe('gone');
    expect([...fleet.store.queue('default').pending]).toEqual([endless.id, waiting.id]);
    expect(fleet.happened).toEqual([`completed ${quick.id}`, `requeued ${endless.id}`]);
    expect((await alive()).size).toBe(0);
  });

  it('shares the work with a second server, running each task once', async () => {
    const runs: string[] = [];
    for (const name of ['one', 'other'])
      await fleet.start((task) => void runs.push(`${name} ${task.id}`), { concurrency: 3 });
    const results = await fleet.client.enqueueMany(Array.from({ length: 500 }, (_, i) => ['count', { i }] as const));
    expect(results.every(({ status }) => status === 'enqueued')).toBe(true);
    await until('every task has run', () => runs.length >= 500);
    await fleet.clock.advance('1m');
    expect(runs).toHaveLength(500);
    expect(new Set(runs.map((run) => run.split(' ')[1])).size).toBe(500);
  });
});
