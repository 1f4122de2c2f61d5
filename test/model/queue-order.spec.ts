import { strictOrder, weightedOrder } from '../../lib/model/queue/queue-order.js';
import { seededRandom } from '../support/seeded-random.js';

const queues = { low: 1, critical: 6, default: 3 };

/** How often each name occurs. */
function shares(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1 / names.length;
  return counts;
}

describe('weighted order', () => {
  it('S-29 asks every queue once', () => {
    const order = weightedOrder(queues, seededRandom());
    for (let draw = 0; draw < 100; draw += 1) {
      expect([...order.draw()].sort()).toEqual(['critical', 'default', 'low']);
    }
  });

  it('S-30 puts a queue first as often as its weight says', () => {
    const order = weightedOrder(queues, seededRandom());
    const first = shares(Array.from({ length: 20_000 }, () => order.draw()[0] as string));
    expect(first['critical']).toBeCloseTo(0.6, 1);
    expect(first['default']).toBeCloseTo(0.3, 1);
    expect(first['low']).toBeCloseTo(0.1, 1);
  });

  it('S-30 draws the second among the others by their weights', () => {
    const order = weightedOrder(queues, seededRandom());
    const draws = Array.from({ length: 20_000 }, () => order.draw()).filter(([first]) => first === 'critical');
    expect(shares(draws.map(([, second]) => second as string))['default']).toBeCloseTo(0.75, 1);
  });

  it('S-30 distributes free slots by weight, every slot once', () => {
    const dealt = weightedOrder(queues, seededRandom()).shareSlots(10_000);
    const slots = Object.fromEntries(dealt.map((share) => [share.queue, share.slots / 10_000]));
    expect(slots['critical']).toBeCloseTo(0.6, 1);
    expect(slots['default']).toBeCloseTo(0.3, 1);
    expect(slots['low']).toBeCloseTo(0.1, 1);
    expect(dealt.reduce((sum, share) => sum + share.slots, 0)).toBe(10_000);
  });

  it('distributes the rest among the queues that may have more', () => {
    const order = weightedOrder(queues, seededRandom());
    expect(order.shareSlots(5, { among: ['low'] })).toEqual([{ queue: 'low', slots: 5 }]);
    const dealt = order.shareSlots(8_000, { among: ['low', 'default'] });
    expect(dealt.find((share) => share.queue === 'default')?.slots).toBeGreaterThan(5_500);
    expect(dealt.map((share) => share.queue)).not.toContain('critical');
  });

  it('S-30 distributes slots in bundles, by weight, and no more than are free', () => {
    const order = weightedOrder(queues, seededRandom());
    const dealt = order.shareSlots(1_000_003, { bundleOf: (queue) => (queue === 'low' ? 1 : 10) });
    const slots = Object.fromEntries(dealt.map((share) => [share.queue, share.slots / 1_000_003]));
    expect(dealt.reduce((sum, share) => sum + share.slots, 0)).toBe(1_000_003);
    expect(slots['critical']).toBeCloseTo(0.6, 2);
    expect(slots['default']).toBeCloseTo(0.3, 2);
    expect(slots['low']).toBeCloseTo(0.1, 2);
    const few = weightedOrder(queues, seededRandom()).shareSlots(10, { bundleOf: () => 10 });
    expect(few).toHaveLength(1);
  });

  it('omits queues that get no slot, and distributes nothing when none is free', () => {
    expect(weightedOrder(queues, seededRandom()).shareSlots(1)).toHaveLength(1);
    expect(weightedOrder(queues, seededRandom()).shareSlots(0)).toEqual([]);
    expect(weightedOrder({ only: 3 }, seededRandom()).shareSlots(0)).toEqual([]);
    expect(weightedOrder({ only: 3 }, seededRandom()).shareSlots(4, { among: [] })).toEqual([]);
  });

  it('handles a random number at the edge of its range', () => {
    expect(weightedOrder(queues, () => 0).draw()).toEqual(['low', 'critical', 'default']);
    expect(weightedOrder(queues, () => 1 - Number.EPSILON / 2).draw()).toEqual(['default', 'critical', 'low']);
  });
});

describe('strict order', () => {
  it('S-33 gives every slot to the queue of the highest priority', () => {
    const order = strictOrder(queues);
    expect(order.draw()).toEqual(['critical', 'default', 'low']);
    expect(order.shareSlots(7)).toEqual([{ queue: 'critical', slots: 7 }]);
  });

  it('S-33 takes from lower queues what the higher ones do not have', () => {
    const order = strictOrder(queues);
    expect(order.shareSlots(3, { among: ['low', 'default'] })).toEqual([{ queue: 'default', slots: 3 }]);
    expect(order.shareSlots(3, { among: [] })).toEqual([]);
  });

  it('keeps one order for queues of equal priority', () => {
    const order = strictOrder({ a: 1, b: 1, c: 1 });
    expect(order.draw()).toEqual(order.draw());
  });
});

describe('weights', () => {
  it.each([
    [
      { a: 100, b: 20, c: 5 },
      { a: 20, b: 4, c: 1 },
    ],
    [
      { a: 6, b: 3, c: 3 },
      { a: 2, b: 1, c: 1 },
    ],
    [
      { a: 9_000_000_000, b: 3_000_000_000, c: 3_000_000_000 },
      { a: 3, b: 1, c: 1 },
    ],
  ])('S-31, S-32 %j order the queues as %j do', (weights, normalized) => {
    const draws = (queues: Record<string, number>): unknown => {
      const order = weightedOrder(queues, seededRandom(7));
      return Array.from({ length: 200 }, () => [order.draw(), order.shareSlots(10)]);
    };
    expect(draws(weights)).toEqual(draws(normalized));
  });
});
