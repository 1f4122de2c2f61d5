import { systemClock } from '../../lib/engine/system-clock.js';
import { MemoryBroker } from '../../lib/memory/memory-broker.js';
import { MemoryStore } from '../../lib/memory/memory-state.js';
import type { BrokerBackend } from './describe-broker.js';
import { memoryFleetProbe, memoryQueueProbe } from './memory-probe.js';

/** Brokers on one store of this process. */
export async function memoryBackend(): Promise<BrokerBackend> {
  const store = new MemoryStore();
  const clock = systemClock;
  return await Promise.resolve({
    label: 'MemoryBroker',
    fleet: memoryFleetProbe(store, clock),
    open: () => new MemoryBroker({ store, clock }),
    // Every call is one step.
    openMortal: () => ({ broker: new MemoryBroker({ store, clock }), hasDied: () => false }),
    probe: async (queue) => await Promise.resolve(memoryQueueProbe(queue, store, clock)),
    close: async () => await Promise.resolve(),
  });
}
