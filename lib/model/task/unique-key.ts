import { createHash } from 'node:crypto';

/** What makes two tasks duplicates of each other: nothing else counts, neither headers nor group nor id. */
export interface UniqueSubject {
  readonly queue: string;
  readonly type: string;
  /** `undefined`: the task was given no payload, which is not the same as an empty one (P-21). */
  readonly payload: Uint8Array | undefined;
}

/**
 * The key under which duplicates collide, in Go programs, too (P-21). For tasks yet to be stored only:
 * whoever reads a message uses its `uniqueKey`, since a stored message no longer tells no payload from an empty one.
 */
export function uniqueKeyOf({ queue, type, payload }: UniqueSubject): string {
  const digest = payload === undefined ? '' : createHash('md5').update(payload).digest('hex');
  return `asynq:{${queue}}:unique:${type}:${digest}`;
}
