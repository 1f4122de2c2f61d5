import type { TaskMessage } from '../../lib/model/task/task-message.js';

/**
 * A task message that states what matters and leaves the rest at the protocol's defaults.
 *
 * @example
 * aTaskMessage({ retried: 2 })
 */
export function aTaskMessage(parts: Partial<TaskMessage> = {}): TaskMessage {
  return {
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
    ...parts,
  };
}
