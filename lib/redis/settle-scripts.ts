import { archiveLimits } from '../model/broker/lifetimes.js';
import type { Settlement } from '../model/broker/work.contract.js';
import { assertNever } from '../model/errors/asynq-error.js';
import { type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import type { RedisArgument } from './connection/redis-connection.js';
import { dayCounters } from './day-counters.js';
import { globalKeys, lockKey, type QueueKeys } from './keys.js';
import { defineScript, type Script } from './script.js';

/** Deletes running tasks that succeeded or were revoked (P-67). */
export const doneScript = defineScript({
  file: 'done.lua',
  keys: ['active', 'lease', 'processedDay', 'processed'],
  args: ['taskPrefix', 'dayExpiresAt', 'fence', 'count', '...tasks'],
  replies: ['LATE'],
});

/** Keeps running tasks that succeeded until their retention ends (P-68). */
export const completeScript = defineScript({
  file: 'complete.lua',
  keys: ['active', 'lease', 'completed', 'processedDay', 'processed'],
  args: ['taskPrefix', 'dayExpiresAt', 'fence', 'count', '...tasks'],
  replies: ['LATE'],
});

/** Moves running tasks that failed to the retry set (P-78). */
export const retryScript = defineScript({
  file: 'retry.lua',
  keys: ['active', 'lease', 'retry', 'scheduled', 'due', 'processedDay', 'processed', 'failedDay', 'failed'],
  args: ['taskPrefix', 'now', 'dayExpiresAt', 'dueChannel', 'queue', 'fence', 'count', '...tasks'],
  replies: ['LATE'],
});

/** Archives running tasks that failed for good (P-83). */
export const archiveScript = defineScript({
  file: 'archive.lua',
  keys: ['active', 'lease', 'archived', 'processedDay', 'processed', 'failedDay', 'failed'],
  args: ['taskPrefix', 'archivedAt', 'cutoff', 'size', 'dayExpiresAt', 'fence', 'count', '...tasks'],
  replies: ['LATE'],
});

/** Deletes running tasks that were canceled for good. */
export const deleteActiveScript = defineScript({
  file: 'delete-active.lua',
  keys: ['active', 'lease'],
  args: ['taskPrefix', 'fence', 'count', '...tasks'],
  replies: ['LATE'],
});

/** Puts running tasks back at the head of their queue (P-90). */
export const requeueScript = defineScript({
  file: 'requeue.lua',
  keys: ['active', 'lease', 'pending'],
  args: ['taskPrefix', 'pendingSince', 'wakeChannel', 'queue', 'fence', 'count', '...tasks'],
  replies: ['LATE'],
});

/** Moves running tasks to the scheduled set without counting anything. */
export const snoozeScript = defineScript({
  file: 'snooze.lua',
  keys: ['active', 'lease', 'scheduled', 'retry', 'due'],
  args: ['taskPrefix', 'now', 'dueChannel', 'queue', 'fence', 'count', '...tasks'],
  replies: ['LATE'],
});

/** One task to settle, with its encoded message. */
export interface SettleEntry {
  readonly settlement: Settlement;
  /** Empty for kinds that do not store one. */
  readonly message: Buffer;
}

/** A call of a settle script, without its tasks. */
export interface SettleCall {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly head: readonly RedisArgument[];
}

/** Returns the call that settles tasks of one kind in one queue. */
export function settleCall(kind: Settlement['kind'], queue: QueueKeys, now: EpochMs): SettleCall {
  const { taskPrefix, active, lease, pending, scheduled, retry, due } = queue;
  switch (kind) {
    case 'done':
    case 'complete': {
      const { processed, expiresAtSeconds } = dayCounters(queue, now);
      const script = kind === 'done' ? doneScript : completeScript;
      const kept = kind === 'done' ? [] : [queue.completed];
      return { script, keys: [active, lease, ...kept, ...processed], head: [taskPrefix, expiresAtSeconds] };
    }
    case 'retry': {
      const { processed, failed, expiresAtSeconds } = dayCounters(queue, now);
      return {
        script: retryScript,
        keys: [active, lease, retry, scheduled, due, ...processed, ...failed],
        head: [taskPrefix, now, expiresAtSeconds, globalKeys.dueChannel, queue.queue],
      };
    }
    case 'archive': {
      const { processed, failed, expiresAtSeconds } = dayCounters(queue, now);
      const { cutoffSeconds, size } = archiveLimits(now);
      return {
        script: archiveScript,
        keys: [active, lease, queue.archived, ...processed, ...failed],
        head: [taskPrefix, toEpochSeconds(now), cutoffSeconds, size, expiresAtSeconds],
      };
    }
    case 'delete':
      return { script: deleteActiveScript, keys: [active, lease], head: [taskPrefix] };
    case 'requeue':
      return {
        script: requeueScript,
        keys: [active, lease, pending],
        head: [taskPrefix, pendingSince(now), globalKeys.wakeChannel, queue.queue],
      };
    case 'snooze':
      return {
        script: snoozeScript,
        keys: [active, lease, scheduled, retry, due],
        head: [taskPrefix, now, globalKeys.dueChannel, queue.queue],
      };
    default:
      return assertNever(kind);
  }
}

/** Returns the arguments of a settle script for each task, besides its id. */
export function settleArguments(queue: QueueKeys, entries: readonly SettleEntry[]): RedisArgument[] {
  const args: RedisArgument[] = [];
  entries.forEach(({ settlement, message }, at) => {
    const lock = lockKey(queue, settlement.message.uniqueKey);
    switch (settlement.kind) {
      case 'done':
        if (lock !== '') args.push(at + 1, lock);
        return;
      case 'complete': {
        const { expiresAt, result } = settlement;
        const stored = result === undefined ? ['NO_RESULT', ''] : ['RESULT', asBuffer(result)];
        args.push(message, toEpochSeconds(expiresAt), lock, ...stored);
        return;
      }
      case 'retry': {
        const counted = settlement.counts === 'as-failure' ? 'FAILURE' : 'UNCOUNTED';
        args.push(message, settlement.retryAt, counted);
        return;
      }
      case 'archive':
        args.push(message, '');
        return;
      case 'delete':
        args.push(lock);
        return;
      case 'requeue':
        args.push(message);
        return;
      case 'snooze':
        args.push(message, settlement.until);
        return;
      default:
        assertNever(settlement);
    }
  });
  return args;
}

/** Formats an instant for `pending_since`: nanoseconds, more than a number can hold (P-32). */
export function pendingSince(now: EpochMs): string {
  return `${Math.floor(now)}000000`;
}

/** Returns the same bytes in the form that Redis clients accept. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
