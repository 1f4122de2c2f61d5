import { waitForCall } from '../model/time/wait.js';

/** When the servers of an application may dequeue: only while a test lets them. Counts what happens meanwhile. */
export class DequeueWindow {
  #open = 0;
  #waiting = new Set<() => void>();
  /** Runs that may still begin before the window closes by itself. */
  #left = Number.POSITIVE_INFINITY;
  /** Runs of this opening, per type. */
  readonly #begun = new Map<string, number>();
  /** Changes of what is stored: tells whether anything happened. */
  progress = 0;
  /** Calls to a broker that are not answered yet. */
  calls = 0;

  get isOpen(): boolean {
    return this.#open > 0 && this.#left > 0;
  }

  /** Whether it closed by itself. */
  get isExhausted(): boolean {
    return this.#left <= 0;
  }

  /** How many tasks may be handed out now. */
  get room(): number {
    return this.isOpen ? this.#left : 0;
  }

  open(limit: number): void {
    this.#open += 1;
    this.#begun.clear();
    // One more than allowed: whether there is one too many shows only when it comes.
    this.#left = limit + 1;
  }

  close(): void {
    this.#open -= 1;
  }

  /** A task was handed out. */
  begin(type: string): void {
    this.#left -= 1;
    this.progress += 1;
    this.#begun.set(type, (this.#begun.get(type) ?? 0) + 1);
  }

  /** Types of the runs of this opening, most frequent first. */
  get begun(): readonly (readonly [type: string, runs: number])[] {
    return [...this.#begun].sort(([, a], [, b]) => b - a);
  }

  /** Resolves when {@link wakeAll} is called, or when `signal` aborts. */
  async untilWoken(signal: AbortSignal): Promise<void> {
    await waitForCall(
      (tell) => {
        this.#waiting.add(tell);
        return () => void this.#waiting.delete(tell);
      },
      { signal },
    );
  }

  /** Wakes all who wait for tasks. */
  wakeAll(): void {
    for (const tell of this.#waiting) tell();
  }
}
