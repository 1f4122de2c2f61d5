/** Lets callers wait until something is true that only the owner of this sees change. */
export class ConditionVariable {
  #waiters: (() => void)[] = [];

  /** Something changed that a waiter may be waiting for. */
  notifyAll(): void {
    if (this.#waiters.length === 0) return;
    for (const look of this.#waiters.splice(0)) look();
  }

  /** Resolves as soon as `isTrue` answers so; it is asked at once and after every change. */
  async waitUntil(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }
}
