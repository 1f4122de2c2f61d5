import type { Middleware } from '../engine/middleware.js';
import type { Availability } from '../model/broker/broker.js';
import { BrokerUnavailableError } from '../model/errors/broker-errors.js';
import type { Clock, Timer } from '../model/time/clock.js';
import type { Ms } from '../model/time/duration.js';

/** Faults of a run: its worker dies, or it loses its lease. */
export type WorkerFault = 'crash' | 'lose-lease';

interface Failure {
  readonly type: string;
  readonly error: unknown;
  times: number;
}

interface ArmedFault {
  readonly kind: WorkerFault;
  /** Any type if omitted. */
  readonly type: string | undefined;
}

/** The faults that a test has injected and that have not happened yet. */
export class Faults {
  #failures: Failure[] = [];
  #armed: ArmedFault[] = [];
  #downTimer: Timer | undefined;
  readonly #listeners = new Set<(availability: Availability) => void>();

  constructor(private readonly clock: Clock) {}

  /** The next runs of a type fail with `error`, its handler is not called. */
  fail(failure: { readonly type: string; readonly error: unknown; readonly times: number }): void {
    this.#failures.push({ ...failure });
  }

  /** Goes around every handler, inside the application's own middleware. */
  readonly middleware: Middleware = (next) => (task) => {
    const failure = this.#failures.find(({ type }) => type === task.type);
    if (failure === undefined) return next(task);
    failure.times -= 1;
    if (failure.times <= 0) this.#failures = this.#failures.filter((one) => one !== failure);
    throw failure.error;
  };

  /** What happens to the next task that is fetched, or the next of a type. */
  arm(fault: ArmedFault): void {
    this.#armed.push(fault);
  }

  get hasArmed(): boolean {
    return this.#armed.length > 0;
  }

  /** The fault that is meant for a task of this type; it is used up. */
  take(type: string): WorkerFault | undefined {
    const index = this.#armed.findIndex((fault) => fault.type === undefined || fault.type === type);
    return index === -1 ? undefined : this.#armed.splice(index, 1)[0]?.kind;
  }

  get isBrokerDown(): boolean {
    return this.#downTimer !== undefined;
  }

  /** Makes all brokers unreachable until the clock has advanced by `duration`. */
  takeDown(duration: Ms): void {
    this.#downTimer?.cancel();
    this.#downTimer = this.clock.setTimer(duration, () => this.#bringUp());
    this.#tell({ kind: 'down', error: unavailable() });
  }

  /** Tells about brokers going down and coming back; returns a function that stops it. */
  onAvailability(listener: (availability: Availability) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Removes all faults. */
  clear(): void {
    this.#failures = [];
    this.#armed = [];
    this.#bringUp();
  }

  #bringUp(): void {
    if (this.#downTimer === undefined) return;
    this.#downTimer.cancel();
    this.#downTimer = undefined;
    this.#tell({ kind: 'up' });
  }

  #tell(availability: Availability): void {
    for (const listener of this.#listeners) listener(availability);
  }
}

/** Returns the error of every call while the broker is down. */
export function unavailable(): BrokerUnavailableError {
  return new BrokerUnavailableError('The broker is down: the test said so');
}
