import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { type Clock, setBackgroundTimer, type Timer } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import { waitForAll } from '../../model/time/wait.js';
import type { BrokerReachability } from './broker-monitor.js';
import type { Service } from './service.js';
import type { ThrottledLogger } from './throttled-logger.js';

export interface PeriodicServiceOptions {
  readonly name: string;
  /** Time from the end of one run to the start of the next. */
  readonly every: Ms;
  readonly first: 'at-once' | 'after-interval';
  readonly clock: Clock;
  readonly logger: ThrottledLogger;
  /** Triggers a run when Redis is back. */
  readonly brokerMonitor: BrokerReachability;
  /** Whether to run while Redis is unreachable. */
  readonly whileDown: 'rest' | 'run';
}

/** A {@link Service} that does one thing periodically, never concurrently. */
export abstract class PeriodicService implements Service {
  readonly name: string;
  readonly #options: PeriodicServiceOptions;
  #started = false;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #wanted = false;
  #stopListening: (() => void) | undefined;

  protected constructor(options: PeriodicServiceOptions) {
    this.name = options.name;
    this.#options = options;
  }

  start(): Promise<void> {
    if (this.#started) return Promise.resolve();
    this.#started = true;
    this.#stopListening = this.#options.brokerMonitor.onUp(() => this.wake());
    if (this.#options.first === 'at-once') this.wake();
    else this.#arm(this.#options.every);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#wanted = false;
    this.#timer?.cancel();
    this.#stopListening?.();
    await this.#running;
  }

  /** Does the work once. Resolves with the time to the next run if that differs from the usual interval. */
  abstract runOnce(): Promise<Ms | undefined>;

  /** Runs now or, if a run is in progress, right after it. */
  wake(): void {
    if (!this.#started) return;
    this.#timer?.cancel();
    if (this.#running !== undefined) {
      this.#wanted = true;
      return;
    }
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#wanted) this.wake();
    });
  }

  /** Runs after `delay` instead of when the next run would have come. */
  protected wakeIn(delay: Ms): void {
    if (this.#running !== undefined) this.#wanted = true;
    else if (this.#started) this.#arm(delay);
  }

  async #run(): Promise<void> {
    this.#wanted = false;
    // The broker monitor wakes this service when Redis is back.
    if (this.#options.whileDown === 'rest' && !this.#options.brokerMonitor.isUp()) return;
    let next: Ms | undefined;
    try {
      next = await this.runOnce();
    } catch (error) {
      this.#report(error);
    }
    if (this.#started && !this.#wanted) this.#arm(next ?? this.#options.every);
  }

  #arm(delay: Ms): void {
    this.#timer?.cancel();
    this.#timer = setBackgroundTimer(this.#options.clock, { delay, run: () => this.wake() });
  }

  /** Runs a function for all queues concurrently; a failure does not affect the others. @throws the first error. */
  protected async forEachQueue(queues: readonly string[], run: (queue: string) => Promise<void>): Promise<void> {
    await waitForAll(queues.map(run));
  }

  #report(error: unknown): void {
    const text = `${this.name}: ${error instanceof Error ? error.message : String(error)}`;
    // The broker monitor has already logged it.
    if (error instanceof BrokerUnavailableError) this.#options.logger.debug(text);
    else this.#options.logger.error(text, { kind: `${this.name} failed` });
  }
}
