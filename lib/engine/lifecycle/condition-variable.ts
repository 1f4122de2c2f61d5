/** Lets callers wait until something becomes true; the owner signals every change. */
export class ConditionVariable {
  #waiters: (() => void)[] = [];

  /** Call when something changed that a waiter may be waiting for. */
  notifyAll(): void {
    if (this.#waiters.length === 0) return;
    for (const look of this.#waiters.splice(0)) look();
  }

  /** Resolves as soon as `isTrue` returns true; it is called at once and after every change. */
  async waitUntil(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }
}
