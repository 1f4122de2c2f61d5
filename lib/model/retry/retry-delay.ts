import type { Random } from '../time/clock.js';
import { type Ms, ms } from '../time/duration.js';

// A task with thousands of retries must still get an instant that a Date can hold.
const maxDelay = ms(1_000 * 365 * 86_400_000);

/**
 * Returns how long to wait before the next run, as in Asynq: n⁴ + 15 + r × (n + 1) seconds, with n failures counted
 * before this one and r chosen from 0 to 29 (S-61). From 15 to 44 seconds at first, about 20 days over 25 retries.
 *
 * @example
 * const delay = defaultRetryDelay(2, systemRandom); // 31 to 118 seconds, in milliseconds
 */
export function defaultRetryDelay(retried: number, random: Random): Ms {
  const seconds = retried ** 4 + 15 + Math.floor(random() * 30) * (retried + 1);
  return ms(Math.min(seconds * 1_000, maxDelay));
}
