import type { Clock } from '../model/time/clock.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryStore } from './memory-state.js';

/** Stores that modules of this process share by name, and how many brokers use each. */
const named = new Map<string, { readonly store: MemoryStore; brokers: number }>();

/**
 * Returns a broker on this process's store with the given name. The store is created for the first broker and dropped
 * when the last one closes.
 *
 * @example
 * const producer = openNamedMemory('orders', clock);
 * const worker = openNamedMemory('orders', clock); // the same tasks
 */
export function openNamedMemory(name: string, clock: Clock): MemoryBroker {
  const shared = named.get(name) ?? { store: new MemoryStore(), brokers: 0 };
  named.set(name, shared);
  shared.brokers += 1;
  const onClose = (): void => {
    shared.brokers -= 1;
    if (shared.brokers === 0) named.delete(name);
  };
  return new MemoryBroker({ store: shared.store, clock, name, onClose });
}
