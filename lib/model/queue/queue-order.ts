import type { Random } from '../time/clock.js';

/** A queue and how many of the free slots it is asked to fill. */
export interface QueueShare {
  readonly queue: string;
  readonly slots: number;
}

/** Which queues are asked for tasks, in which order and for how many (S-29). */
export interface QueueOrder {
  /** Every queue once, in the order in which one task is looked for. */
  draw(): readonly string[];

  /**
   * Deals free slots out to queues: as many draws as there are slots, each slot to the queue that is drawn first.
   * Queues that get none are left out. What a queue could not fill is dealt out again among those that may have more.
   */
  shareSlots(free: number, among?: readonly string[]): readonly QueueShare[];
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
  const weightOf = (name: string): number => weights.get(name) ?? 0;
  return {
    draw() {
      const left = [...names];
      const order: string[] = [];
      while (left.length > 0) order.push(...left.splice(drawIndex(left, weightOf, random), 1));
      return order;
    },
    shareSlots(free, among = names) {
      if (among.length <= 1) return dealAll(free, among);
      const slots = among.map(() => 0);
      for (let slot = 0; slot < free; slot += 1) {
        const index = drawIndex(among, weightOf, random);
        slots[index] = (slots[index] as number) + 1;
      }
      return among.map((queue, index) => ({ queue, slots: slots[index] as number })).filter((share) => share.slots > 0);
    },
  };
}

/** Strict order: a queue is asked only for what all queues of higher priority cannot give. */
export function strictOrder(queues: Readonly<Record<string, number>>): QueueOrder {
  const names = Object.keys(queues).sort((a, b) => (queues[b] as number) - (queues[a] as number));
  return {
    draw: () => names,
    shareSlots(free, among) {
      return dealAll(free, among === undefined ? names : names.filter((name) => among.includes(name)));
    },
  };
}

/** All slots to the first queue. */
function dealAll(free: number, queues: readonly string[]): readonly QueueShare[] {
  const [queue] = queues;
  return queue === undefined || free <= 0 ? [] : [{ queue, slots: free }];
}

function drawIndex(names: readonly string[], weightOf: (name: string) => number, random: Random): number {
  let total = 0;
  for (const name of names) total += weightOf(name);
  let ticket = random() * total;
  for (let index = 0; index < names.length - 1; index += 1) {
    ticket -= weightOf(names[index] as string);
    if (ticket < 0) return index;
  }
  return names.length - 1;
}
