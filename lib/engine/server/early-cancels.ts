import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import type { TaskMessage } from '../../model/task/task-message.js';

interface EarlyCancel {
  readonly queue: string | undefined;
  readonly outcome: CancelOutcome | undefined;
  /** The last call that may return the task. */
  readonly lastCall: number;
}

/** The result of a call. */
interface AnsweredCall {
  readonly queue: string;
  readonly messages: readonly TaskMessage[];
  readonly call: number;
}

/** Cancellations that arrived while their tasks may have been in transit from the broker. */
export class EarlyCancels {
  readonly #byId = new Map<string, EarlyCancel>();

  add(taskId: string, cancel: EarlyCancel): void {
    // A cancellation without an outcome adds nothing to one with an outcome.
    if (cancel.queue === undefined && this.#byId.has(taskId)) return;
    this.#byId.set(taskId, cancel);
  }

  /** Returns which of the arrived tasks to cancel, with the outcome; forgets those that cannot arrive any more. */
  meet({ queue, messages, call }: AnsweredCall): ReadonlyMap<string, CancelOutcome | undefined> {
    const met = new Map<string, CancelOutcome | undefined>();
    if (this.#byId.size === 0) return met;
    const arrived = new Set(messages.map((message) => message.id));
    for (const [taskId, early] of this.#byId) {
      const isMeant = call <= early.lastCall && (early.queue === undefined || early.queue === queue);
      if (isMeant && arrived.has(taskId)) met.set(taskId, early.outcome);
      if (call >= early.lastCall) this.#byId.delete(taskId);
    }
    return met;
  }
}
