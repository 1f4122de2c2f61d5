import { addMs, type EpochMs, fromEpochSeconds, fromSeconds, type Ms } from '../time/duration.js';
import type { TaskMessage } from './task-message.js';

/** The time limit of a run whose message does not set one. */
const timeoutOfUnlimited: Ms = fromSeconds(1_800);

/** Whether a message has neither a timeout nor a deadline, which no client writes on purpose. */
export function isUnlimited(message: TaskMessage): boolean {
  return message.timeoutSeconds === 0 && message.deadlineSeconds === 0;
}

/**
 * Returns when a run that starts now must have ended: the earlier of timeout and deadline, or 30 minutes (S-39 to
 * S-42).
 */
export function runDeadline(message: TaskMessage, now: EpochMs): EpochMs {
  const deadline = message.deadlineSeconds === 0 ? undefined : fromEpochSeconds(message.deadlineSeconds);
  if (message.timeoutSeconds === 0) return deadline ?? addMs(now, timeoutOfUnlimited);
  const timeout = addMs(now, fromSeconds(message.timeoutSeconds));
  return deadline === undefined || timeout < deadline ? timeout : deadline;
}
