import type { CancelOutcome, MaintenanceNews, SignalListener } from '../model/broker/presence.contract.js';
import type { EpochMs } from '../model/time/duration.js';

/** One subscription of a listener, so that one object can subscribe twice. */
interface Subscription {
  readonly listener: SignalListener;
}

/**
 * Passes signals to the listeners of every broker of a store, each in a separate microtask, in the order in which they
 * were sent. A listener receives what is sent between its subscription and its end.
 */
export class MemorySignals {
  readonly #subscriptions = new Set<Subscription>();

  /** Returns a function that ends the subscription; calling it again does nothing. */
  subscribe(listener: SignalListener): () => void {
    const subscription = { listener };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }

  /** A task arrived in a queue that was empty. */
  wake(queue: string): void {
    this.#send((listener) => listener.onWake(queue));
  }

  /** A task became the next due task of its queue. */
  due(queue: string, dueAt: EpochMs): void {
    this.#send((listener) => listener.onDue(queue, dueAt));
  }

  /** A server maintains queues, or does not any more. */
  maintenance(news: MaintenanceNews): void {
    this.#send((listener) => listener.onMaintenance(news));
  }

  /** A running task must be canceled; `request` has the outcome, if known. */
  cancel(taskId: string, request: { readonly queue: string; readonly outcome: CancelOutcome } | undefined): void {
    this.#send((listener) => listener.onCancel(taskId, request));
  }

  #send(tell: (listener: SignalListener) => void): void {
    if (this.#subscriptions.size === 0) return;
    for (const subscription of this.#subscriptions) {
      queueMicrotask(() => {
        if (this.#subscriptions.has(subscription)) tell(subscription.listener);
      });
    }
  }
}
