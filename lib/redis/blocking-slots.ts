import type { Clock } from '../model/time/clock.js';
import type { Ms } from '../model/time/duration.js';
import { BlockingSlot, type BlockingSlotDeps } from './blocking-slot.js';
import type { BlockingRequest, RedisReply } from './connection.js';

export interface BlockingSlotsDeps extends BlockingSlotDeps {
  readonly clock: Clock;
  /** How many connections may wait at a time. */
  readonly size: number;
}

// A slot that has not been used for this long, in milliseconds, may be given to another queue.
const keptFor = 1_000;

/** A bounded number of connections to wait on, each lent to one slot name for as long as that keeps asking. */
export class BlockingSlots {
  readonly #slots = new Map<string, { readonly slot: BlockingSlot; usedAt: Ms }>();

  constructor(private readonly deps: BlockingSlotsDeps) {}

  async send(request: BlockingRequest): Promise<RedisReply | 'busy' | 'aborted'> {
    if (request.signal.aborted) return 'aborted';
    const lent = this.#slots.get(request.slot) ?? this.#lend(request.slot);
    if (lent === undefined) return 'busy';
    try {
      return await lent.slot.send(request);
    } finally {
      lent.usedAt = this.deps.clock.monotonic();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#slots.values()].map(({ slot }) => slot.close()));
  }

  #lend(name: string): { readonly slot: BlockingSlot; usedAt: Ms } | undefined {
    const { clock, size } = this.deps;
    const now = clock.monotonic();
    const free = this.#slots.size < size ? { slot: new BlockingSlot(this.deps), usedAt: now } : this.#reclaim(now);
    if (free !== undefined) this.#slots.set(name, free);
    return free;
  }

  /** The slot that has rested longest, taken from its name. */
  #reclaim(now: Ms): { readonly slot: BlockingSlot; usedAt: Ms } | undefined {
    let rested: [string, { readonly slot: BlockingSlot; usedAt: Ms }] | undefined;
    for (const [name, lent] of this.#slots) {
      if (lent.slot.isBusy || now - lent.usedAt < keptFor) continue;
      if (rested === undefined || lent.usedAt < rested[1].usedAt) rested = [name, lent];
    }
    if (rested === undefined) return undefined;
    this.#slots.delete(rested[0]);
    return rested[1];
  }
}
