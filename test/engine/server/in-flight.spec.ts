import { startTcpProxy, type TcpProxy } from '../../../scripts/tcp-proxy.mjs';
import type { RunningRedisServer } from '../../../scripts/redis-server.mjs';
import { silentLogger } from '../../../lib/engine/logger.js';
import { openBroker } from '../../../lib/engine/open-broker.js';
import type { Task } from '../../../lib/engine/server/handler-task.js';
import { systemClock } from '../../../lib/engine/system-clock.js';
import type { Broker } from '../../../lib/model/broker/broker.js';
import { startRedis } from '../../support/redis-server.js';
import { aGate, until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

const endings = {
  done: { parts: {}, event: 'completed', state: 'gone' },
  complete: { parts: { retentionSeconds: 3_600 }, event: 'completed', state: 'completed' },
  retry: { parts: { maxRetry: 3 }, event: 'retry', state: 'retry' },
  archive: { parts: { maxRetry: 0 }, event: 'archived', state: 'archived' },
} as const;
type Ending = keyof typeof endings;

/** Tasks of each ending, whose handlers wait until they are let go. */
class Batch {
  readonly ids: readonly string[];
  readonly gate = aGate();

  constructor(name: string) {
    this.ids = Object.keys(endings).flatMap((ending) => [`${ending}-${name}-1`, `${ending}-${name}-2`]);
  }
}

const endingOf = (id: string): Ending => id.split('-', 1)[0] as Ending;

describe('the network goes away while outcomes are in flight', () => {
  let redis: RunningRedisServer;
  let proxy: TcpProxy;
  let broker: Broker;
  let test: ServerUnderTest;
  let runs: Map<string, number>;
  /** Where each task was when its outcome was announced. */
  let found: Promise<readonly [id: string, state: string]>[];

  beforeEach(async () => {
    redis = await startRedis();
    proxy = await startTcpProxy(redis.port);
    test = ServerUnderTest.open({ url: redis.url, time: 'virtual' });
    broker = openBroker(proxy.url, { clock: systemClock, logger: silentLogger });
    runs = new Map();
    found = [];
  });
  afterEach(async () => {
    await test.close();
    await broker.close();
    await proxy.stop();
    await redis.stop();
  });

  const start = async (handler: (task: Task) => Promise<unknown>): Promise<void> => {
    const server = await test.start(handler, { broker, concurrency: 100, retryDelay: () => '1h' });
    for (const name of new Set(Object.values(endings).map(({ event }) => event))) {
      server.events.on(name, ({ task: { id } }) => {
        found.push(test.stateOf(id).then((state) => [id, state] as const));
      });
    }
  };
  const isLeased = async (id: string): Promise<boolean> => (await test.leaseOf(id)) !== undefined;
  const areStored = async (ids: readonly string[]): Promise<boolean> =>
    (await Promise.all(ids.map(isLeased))).every((leased) => !leased);

  it.each([
    ['outcomes', '4s'],
    ['answers', '4s'],
    ['outcomes', '45s'],
  ] as const)(
    'and the %s are lost, for %s: each task runs once and ends where its outcome says',
    async (lost, away) => {
      const first = new Batch('first');
      const before = new Batch('before');
      const during = new Batch('during');
      const ids = [...before.ids, ...during.ids];
      await start(async ({ id }) => {
        runs.set(id, (runs.get(id) ?? 0) + 1);
        await [first, before, during].find((batch) => batch.ids.includes(id))?.gate.opened;
        if (endings[endingOf(id)].event !== 'completed') throw new Error('as wanted');
      });
      for (const id of [...first.ids, ...ids]) await test.enqueue({ id, ...endings[endingOf(id)].parts });
      await until('all run', () => runs.size === first.ids.length + ids.length);
      // Leases are extended and outcomes stored once, so that Redis knows the scripts: then what is sent is carried out.
      await test.time.advance('5s');
      first.gate.open();
      await until('the first are announced', () => found.length === first.ids.length);
      found = [];

      if (lost === 'outcomes') proxy.holdRequests();
      else proxy.dropReplies();
      before.gate.open();
      await until('the outcomes are sent', async () =>
        lost === 'outcomes' ? before.ids.every((id) => proxy.held.includes(id)) : await areStored(before.ids),
      );
      proxy.cut();
      await test.untilHappened('brokerDown');
      during.gate.open();
      // Leases are extended as soon as the network is back, to a later second than was asked for when these runs ended.
      await test.time.advance(away);
      expect(found).toEqual([]);

      await proxy.restore();
      await test.untilHappened('brokerUp');
      await until('every outcome is announced', () => found.length === ids.length);
      const expected = ids.map((id) => [id, endings[endingOf(id)].state] as const);
      expect(new Map(await Promise.all(found))).toEqual(new Map(expected));
      expect(await areStored(ids)).toBe(true);
      // What was left behind would be recovered by then, and would run again.
      await test.time.advance('10m');
      expect([...runs.values()].every((times) => times === 1)).toBe(true);
      expect(found).toHaveLength(ids.length);
      expect(test.happened('lateOutcome')).toEqual([]);
    },
  );

  it('and a result that is written in the meantime is stored, although the lease is extended first', async () => {
    const cut = aGate();
    const id = await test.enqueue({ retentionSeconds: 3_600 });
    await start(async (task) => {
      await cut.opened;
      await task.writeResult('half of it');
      await new Promise<void>((resolve) => task.signal.addEventListener('abort', () => resolve()));
    });
    await test.untilHappened('started');
    proxy.cut();
    await test.untilHappened('brokerDown');
    cut.open();
    await test.time.advance('4s');
    await proxy.restore();
    await until('the result is stored', async () => {
      return (await test.redis.hget(`${test.keys.taskPrefix}${id}`, 'result')) === '"half of it"';
    });
    expect(test.happened('retry')).toEqual([]);
  });
});
