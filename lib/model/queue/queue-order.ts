import type { Random } from '../time/clock.js';

/** A queue, and how many of the free slots it should fill. */
export interface QueueShare {
  readonly queue: string;
  readonly slots: number;
}

/** Decides which queues are asked for tasks, in which order and for how many (S-29). */
export interface QueueOrder {
  /** Returns every queue once, in the order in which to look for one task. */
  draw(): readonly string[];

  /**
   * Deals out free slots until none is left: each goes to the queue that is drawn first for it. The slots of queues with
   * a `bundleOf` above one are then dealt out among these again, in bundles, so that fewer of them get more each, while
   * the other queues keep their shares. Queues that get none are left out. What a queue could not fill is dealt out again
   * among those that may have more.
   */
  shareSlots(free: number, deal?: SlotDeal): readonly QueueShare[];
}

/** Who takes part when slots are dealt out. */
export interface SlotDeal {
  /** Every queue unless given. */
  readonly among?: readonly string[];
  /** How many slots a queue gets at once, at least one; one unless given. */
  readonly bundleOf?: (queue: string) => number;
}

/**
 * Weighted order: a queue is first with probability weight / sum of weights.
 *
 * @example
 * const order = weightedOrder({ critical: 6, default: 3, low: 1 }, systemRandom);
 * order.shareSlots(10); // about [{ queue: 'critical', slots: 6 }, { queue: 'default', slots: 3 }, ...]
 */
export function weightedOrder(queues: Readonly<Record<string, number>>, random: Random): QueueOrder {
  const names = Object.keys(queues);
  const weights = new Map(Object.entries(queues));
  return {
    draw() {
      const left = [...names];
      const order: string[] = [];
      while (left.length > 0) order.push(...left.splice(drawIndex(sumsOf(left, weights), random), 1));
      return order;
    },
    shareSlots(free, { among = names, bundleOf = () => 1 } = {}) {
      if (among.length <= 1) return dealAll(free, among);
      const bundles = among.map(bundleOf);
      const slots = among.map(() => 0);
      const give = (index: number, count: number): void => void (slots[index] = (slots[index] as number) + count);
      const sums = sumsOf(among, weights);
      let bundled = 0;
      for (let slot = 0; slot < free; slot += 1) {
        const index = drawIndex(sums, random);
        if (bundles[index] === 1) give(index, 1);
        else bundled += 1;
      }
      if (bundled === 0) return sharesOf(among, slots);
      const sumsOfBundled = sumsOf(among, weights, (index) => bundles[index] !== 1);
      while (bundled > 0) {
        const index = drawIndex(sumsOfBundled, random);
        const bundle = Math.min(bundled, bundles[index] as number);
        give(index, bundle);
        bundled -= bundle;
      }
      return sharesOf(among, slots);
    },
  };
}

/** Strict order: a queue is asked only for what all queues of higher priority cannot provide. */
export function strictOrder(queues: Readonly<Record<string, number>>): QueueOrder {
  const names = Object.keys(queues).sort((a, b) => (queues[b] as number) - (queues[a] as number));
  return {
    draw: () => names,
    shareSlots(free, { among } = {}) {
      return dealAll(free, among === undefined ? names : names.filter((name) => among.includes(name)));
    },
  };
}

/** Gives all slots to the first queue. */
function dealAll(free: number, queues: readonly string[]): readonly QueueShare[] {
  const [queue] = queues;
  return queue === undefined || free <= 0 ? [] : [{ queue, slots: free }];
}

function sharesOf(queues: readonly string[], slots: readonly number[]): readonly QueueShare[] {
  return queues.map((queue, index) => ({ queue, slots: slots[index] as number })).filter((share) => share.slots > 0);
}

/** For each queue, its weight and those of the queues before it; the weight of one that takes no part counts as 0. */
function sumsOf(
  queues: readonly string[],
  weights: ReadonlyMap<string, number>,
  takesPart: (index: number) => boolean = () => true,
): readonly number[] {
  let sum = 0;
  return queues.map((queue, index) => (sum += takesPart(index) ? (weights.get(queue) ?? 0) : 0));
}

/** Where in the sums a ticket falls. */
function drawIndex(sums: readonly number[], random: Random): number {
  const ticket = random() * (sums.at(-1) as number);
  let first = 0;
  let last = sums.length - 1;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (ticket < (sums[middle] as number)) last = middle;
    else first = middle + 1;
  }
  return first;
}
