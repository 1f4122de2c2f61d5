import type { UndecodableTask } from '../model/broker/work.contract.js';
import { type DecodedTaskMessage, decodeTaskMessage } from '../model/task/task-message.codec.js';
import type { UndecodableRecord } from '../model/task/undecodable-record.js';

/**
 * Reads a stored record as a value of the caller's own, payload included. A record that was copied by hand says another
 * name than it is stored under; only that one finds it again.
 */
export function readRecord(
  record: Uint8Array,
  { queue, taskId }: { readonly queue: string; readonly taskId: string },
): DecodedTaskMessage {
  const decoded = decodeTaskMessage(copyOf(record));
  if (!decoded.ok || (decoded.message.id === taskId && decoded.message.queue === queue)) return decoded;
  return { ok: true, message: { ...decoded.message, id: taskId, queue } };
}

/** The same bytes, in memory that nobody else writes to. */
export function copyOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

/** The lock that a message names, if it is one of its own queue's; another queue's is not ours to touch. */
export function lockOf(queue: string, uniqueKey: string): string | undefined {
  return uniqueKey.startsWith(`asynq:{${queue}}:`) ? uniqueKey : undefined;
}

/** How an undecodable record is reported. */
export function reportOf({ queue, taskId, decoded }: UndecodableRecord): UndecodableTask {
  return { queue, taskId, reason: decoded.reason };
}
