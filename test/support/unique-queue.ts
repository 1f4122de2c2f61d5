import { randomBytes } from 'node:crypto';

/**
 * A queue name that no other test uses, now or in parallel. Keys have no prefix, so this is what keeps tests apart.
 *
 * @example
 * const queue = uniqueQueue('retry'); // 'retry-9f86d081884c'
 */
export function uniqueQueue(label = 'test'): string {
  return `${label}-${randomBytes(6).toString('hex')}`;
}
