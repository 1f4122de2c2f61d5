import { QueueFeed } from '../../../lib/engine/server/queue-feed.js';
import type { DequeueResult } from '../../../lib/model/broker/work.contract.js';
import { strictOrder, weightedOrder } from '../../../lib/model/queue/queue-order.js';
import { ms } from '../../../lib/model/time/duration.js';
import { seededRandom } from '../../support/seeded-random.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const weights = { critical: 6, default: 3, low: 1 };
const clock = new VirtualClock();

function aFeed(
  kind: 'strict' | 'weighted',
  { queues = weights, concurrency = 10 }: { queues?: Record<string, number>; concurrency?: number } = {},
): QueueFeed {
  const random = seededRandom();
  return new QueueFeed({
    work: {
      waitForTask: async () => await Promise.resolve('busy' as const),
      findWithTasks: async (queues) => await Promise.resolve(queues),
    },
    order: kind === 'strict' ? strictOrder(queues) : weightedOrder(queues, random),
    clock,
    random,
    brokerMonitor: { isUp: () => true, upFor: () => ms(0), onUp: () => () => {} },
    queues: Object.keys(queues),
    strictPriority: kind === 'strict',
    concurrency,
    taskCheckInterval: ms(1_000),
    blockingConnections: 0,
    unknownTypes: undefined,
    onWork: () => {},
  });
}

const nothing = (left: DequeueResult['left']): DequeueResult => ({ messages: [], undecodable: [], left });

const shown = (feed: QueueFeed, free: number): Record<string, number> =>
  Object.fromEntries(feed.plan(free).map(({ queue, limit }) => [queue.name, limit]));

describe('QueueFeed', () => {
  it('S-29, S-30 distributes every slot by weight among all queues that may have tasks', async () => {
    const feed = aFeed('weighted');
    await feed.start();
    const shares = shown(feed, 1_000);
    expect(Object.keys(shares).toSorted()).toEqual(['critical', 'default', 'low']);
    expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBe(1_000);
    expect(shares['critical']).toBeGreaterThan(540);
    expect(shares['critical']).toBeLessThan(660);
    expect(shares['low']).toBeLessThan(150);
    await feed.stop();
  });

  it('asks a few of many busy queues for several tasks each, and queues that may have few for one', async () => {
    const queues = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`queue-${i}`, i < 100 ? 3 : 1]));
    const feed = aFeed('weighted', { queues, concurrency: 100 });
    await feed.start();
    const first = feed.plan(100);
    expect(first.length).toBeGreaterThan(50);
    expect(Math.max(...first.map(({ limit }) => limit))).toBeLessThan(6);

    for (const { queue } of feed.plan(100_000)) {
      feed.answered(queue, { result: nothing('some'), filter: undefined, wakesBefore: feed.asked(queue) });
    }
    const shares = new Map<string, number>();
    for (let round = 0; round < 2_000; round += 1) {
      const requests = feed.plan(50);
      expect(requests.length).toBeLessThan(5);
      expect(requests.reduce((sum, { limit }) => sum + limit, 0)).toBe(50);
      for (const { queue, limit } of requests) shares.set(queue.name, (shares.get(queue.name) ?? 0) + limit);
    }
    const heavy = [...shares].filter(([name]) => queues[name] === 3).reduce((sum, [, slots]) => sum + slots, 0);
    expect(heavy / 100_000).toBeCloseTo(0.75, 1);
    await feed.stop();
  });

  it('gives a queue with few tasks its share beside many busy ones', async () => {
    const queues = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`queue-${i}`, i < 100 ? 3 : 1]));
    const feed = aFeed('weighted', { queues, concurrency: 100 });
    await feed.start();
    for (const { queue } of feed.plan(100_000)) {
      if (queue.name === 'queue-199') continue;
      feed.answered(queue, { result: nothing('some'), filter: undefined, wakesBefore: feed.asked(queue) });
    }
    let slots = 0;
    for (let round = 0; round < 2_000; round += 1) slots += shown(feed, 50)['queue-199'] ?? 0;
    // Its weight is one of 400.
    expect(slots).toBeGreaterThan(0.8 * (100_000 / 400));
    expect(slots).toBeLessThan(1.2 * (100_000 / 400));
    await feed.stop();
  });

  it('S-33 asks no lower queue before a higher one has replied', async () => {
    const feed = aFeed('strict');
    await feed.start();
    const [first] = feed.plan(5);
    expect(first?.queue.name).toBe('critical');
    const wakesBefore = first === undefined ? 0 : feed.asked(first.queue);
    expect(feed.plan(5)).toEqual([]);
    if (first !== undefined) feed.answered(first.queue, { result: nothing('drained'), filter: undefined, wakesBefore });
    expect(shown(feed, 5)).toEqual({ default: 5 });
    await feed.stop();
  });

  it('does not forget a wake-up that came while a call was in progress', async () => {
    const feed = aFeed('strict');
    await feed.start();
    const [first] = feed.plan(5);
    if (first === undefined) throw new Error('nothing to ask');
    const wakesBefore = feed.asked(first.queue);
    feed.wake('critical');
    feed.answered(first.queue, { result: nothing('drained'), filter: undefined, wakesBefore });
    expect(shown(feed, 5)).toEqual({ critical: 5 });
    await feed.stop();
  });

  it('P-60 asks a queue that has more again at once, and an empty one after a while', async () => {
    const feed = aFeed('strict');
    await feed.start();
    const [first] = feed.plan(5);
    if (first === undefined) throw new Error('nothing to ask');
    feed.answered(first.queue, { result: nothing('some'), filter: undefined, wakesBefore: feed.asked(first.queue) });
    expect(shown(feed, 5)).toEqual({ critical: 5 });
    feed.answered(first.queue, { result: nothing('drained'), filter: undefined, wakesBefore: feed.asked(first.queue) });
    expect(shown(feed, 5)).toEqual({ default: 5 });
    await clock.advance('1600ms');
    expect(shown(feed, 5)).toEqual({ critical: 5 });
    await feed.stop();
  });
});
