import { type EpochMs, toEpochSeconds } from '../time/duration.js';
import type { DecodedTaskMessage } from './task-message.codec.js';
import type { TaskMessage } from './task-message.js';

/** A stored record that does not decode, and the task it belongs to. */
export interface UndecodableRecord {
  readonly queue: string;
  readonly taskId: string;
  readonly decoded: Extract<DecodedTaskMessage, { ok: false }>;
}

/**
 * Returns the message with which a task whose record does not decode is archived: what could be read of it, with the
 * reason as its error. Unlike the record itself, every tool can list it.
 */
export function messageOfUndecodable({ queue, taskId, decoded }: UndecodableRecord, now: EpochMs): TaskMessage {
  return {
    ...blank,
    ...decoded.salvaged,
    type: decoded.salvaged.type ?? 'undecodable',
    id: taskId,
    queue,
    errorMessage: decoded.reason,
    lastFailedAtSeconds: toEpochSeconds(now),
  };
}

const blank: TaskMessage = {
  type: '',
  payload: Buffer.alloc(0),
  id: '',
  queue: '',
  maxRetry: 0,
  retried: 0,
  errorMessage: '',
  timeoutSeconds: 0,
  deadlineSeconds: 0,
  uniqueKey: '',
  lastFailedAtSeconds: 0,
  retentionSeconds: 0,
  completedAtSeconds: 0,
  group: '',
  headers: undefined,
  unknownFields: undefined,
};
