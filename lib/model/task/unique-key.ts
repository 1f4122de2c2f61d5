import { createHash } from 'node:crypto';

/** What makes two tasks duplicates of each other; headers, group and id do not count. */
export interface UniqueSubject {
  readonly queue: string;
  readonly type: string;
  /** `undefined` if the task has no payload, which is not the same as an empty one (P-21). */
  readonly payload: Uint8Array | undefined;
}

/**
 * Returns the key under which duplicates collide, including those of Go programs (P-21). Use it only for tasks that are
 * not stored yet: for a stored message use its `uniqueKey`, since the message no longer distinguishes no payload from
 * an empty one.
 */
export function uniqueKeyOf({ queue, type, payload }: UniqueSubject): string {
  const digest = payload === undefined ? '' : createHash('md5').update(payload).digest('hex');
  return `asynq:{${queue}}:unique:${type}:${digest}`;
}
