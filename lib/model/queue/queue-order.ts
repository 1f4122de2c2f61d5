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
   * Deals free slots out to queues, draw by draw, until none is left: each draw gives the queue that is drawn first one
   * slot, or as many as `bundleOf` says. Queues that get none are left out. What a queue could not fill is dealt out
   * again among those that may have more.
   */
  shareSlots(free: number, deal?: SlotDeal): readonly QueueShare[];
}

/** Who takes part when slots are dealt out. */
export interface SlotDeal {
  /** Every queue unless given. */
  readonly among?: readonly string[];
  /** How many slots a draw gives to a queue, at least one; one unless given. */
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
      const sums = sumsOf(among, weights);
      const slots = among.map(() => 0);
      for (let left = free; left > 0;) {
        const index = drawIndex(sums, random);
        const bundle = Math.min(left, bundleOf(among[index] as string));
        slots[index] = (slots[index] as number) + bundle;
        left -= bundle;
      }
      return among.map((queue, index) => ({ queue, slots: slots[index] as number })).filter((share) => share.slots > 0);
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

/** For each queue, its weight and those of the queues before it. */
function sumsOf(queues: readonly string[], weights: ReadonlyMap<string, number>): readonly number[] {
  let sum = 0;
  return queues.map((queue) => (sum += weights.get(queue) ?? 0));
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
