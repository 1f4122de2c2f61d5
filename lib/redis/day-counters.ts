import { dayCountersFor } from '../model/broker/lifetimes.js';
import { addMs, type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import { dayKey, type QueueKeys } from './keys.js';

/** Returns a queue's counter keys at an instant, in the order of the scripts, and when the day's counters expire. */
export function dayCounters(
  keys: QueueKeys,
  now: EpochMs,
): {
  readonly processed: readonly [string, string];
  readonly failed: readonly [string, string];
  readonly expiresAtSeconds: number;
} {
  return {
    processed: [dayKey(keys.processed, now), keys.processed],
    failed: [dayKey(keys.failed, now), keys.failed],
    expiresAtSeconds: toEpochSeconds(addMs(now, dayCountersFor)),
  };
}
