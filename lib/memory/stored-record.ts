import type { UndecodableTask } from '../model/broker/work.contract.js';
import { type DecodedTaskMessage, decodeTaskMessage } from '../model/task/task-message.codec.js';
import type { UndecodableRecord } from '../model/task/undecodable-record.js';

/**
 * Reads a stored record as a value of the caller's own, including the payload. A record that was copied by hand may
 * name another id than the one under which it is stored; only the latter finds it.
 */
export function readRecord(
  record: Uint8Array,
  { queue, taskId }: { readonly queue: string; readonly taskId: string },
): DecodedTaskMessage {
  const decoded = decodeTaskMessage(copyOf(record));
  if (!decoded.ok || (decoded.message.id === taskId && decoded.message.queue === queue)) return decoded;
  return { ok: true, message: { ...decoded.message, id: taskId, queue } };
}

/** Returns a private copy of the bytes. */
export function copyOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

/** Returns the lock that a message names, if it belongs to the message's queue. */
export function lockOf(queue: string, uniqueKey: string): string | undefined {
  return uniqueKey.startsWith(`asynq:{${queue}}:`) ? uniqueKey : undefined;
}

/** Returns the report about an undecodable record. */
export function reportOf({ queue, taskId, decoded }: UndecodableRecord): UndecodableTask {
  return { queue, taskId, reason: decoded.reason };
}
