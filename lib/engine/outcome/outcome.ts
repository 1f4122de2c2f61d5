import type { Settlement } from '../../model/broker/work.contract.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import { addMs, type EpochMs, fromSeconds, toEpochSeconds } from '../../model/time/duration.js';
import type { EngineEvents, TaskEventName } from '../engine-events.js';

/** The outcome of a run: what to write, and what to announce once that is stored. */
export interface Outcome {
  readonly settlement: Settlement;
  readonly announcement: Announcement | undefined;
}

/** An event that waits until its outcome is stored. */
export type Announcement = {
  [N in TaskEventName]: { readonly name: N; readonly event: EngineEvents[N] };
}[TaskEventName];

/** Returns what is written after a success (S-45). */
export function settleSuccess(
  message: TaskMessage,
  run: { readonly result: Uint8Array | undefined; readonly now: EpochMs },
): Settlement {
  if (message.retentionSeconds <= 0) return { kind: 'done', message };
  return {
    kind: 'complete',
    message: { ...message, completedAtSeconds: toEpochSeconds(run.now) },
    expiresAt: addMs(run.now, fromSeconds(message.retentionSeconds)),
    result: run.result,
  };
}
