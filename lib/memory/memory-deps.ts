import type { StorageNotices } from '../model/broker/storage-notice.js';
import type { Clock } from '../model/time/clock.js';
import type { EpochMs } from '../model/time/duration.js';
import type { MemoryLife } from './memory-life.js';
import type { MemoryStore } from './memory-state.js';

/** What the parts of a {@link MemoryBroker} share. */
export interface MemoryDeps {
  readonly store: MemoryStore;
  readonly clock: Clock;
  readonly life: MemoryLife;
  readonly notices: StorageNotices;
}

/**
 * The instant by which something expires: the later of what a caller says and what the broker's own clock says. Redis
 * goes by its own clock alone; a caller who is ahead of it and says so is believed.
 */
export function expiryInstant({ clock }: Pick<MemoryDeps, 'clock'>, now: EpochMs): EpochMs {
  const own = clock.now();
  return own > now ? own : now;
}
