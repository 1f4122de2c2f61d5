import { leaseLength } from '../../model/broker/lifetimes.js';
import type { Broker } from '../../model/broker/broker.js';
import { BrokerUnavailableError, ClockOffError, describeOffset } from '../../model/errors/broker-errors.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { Clock } from '../../model/time/clock.js';
import { epochMs, type EpochMs, ms, type Ms } from '../../model/time/duration.js';
import type { Logger } from '../logger.js';

/**
 * - `unknown`: the storage has not returned its time yet;
 * - `right`: the clocks differ by no more than 10 s, or may not be compared;
 * - `off`: they differ by more than that;
 * - `far-off`: they differ by more than a lease, so a lease taken here may have expired for everybody else.
 */
export type ClockState = 'unknown' | 'right' | 'off' | 'far-off';

export interface ClockMonitorDeps {
  readonly broker: Pick<Broker, 'time'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** End of the warning about a far-off clock: what the owner does about it. */
  readonly whileFarOff?: string;
  /** `offset` is positive when this clock is ahead. */
  readonly onOff?: (offset: Ms, state: 'off' | 'far-off') => void;
  readonly onRight?: (offset: Ms) => void;
}

/** The result of one comparison. */
interface Reading {
  /** This clock minus the storage's. */
  readonly offset: Ms;
  /** The possible error of the offset: half of the round-trip time. */
  readonly error: Ms;
}

const tolerated = ms(10_000);
/** The wall clock and the monotonic one drift apart by far less between two comparisons. */
const step = ms(1_000);

/**
 * Compares the clock with that of the storage on request, and logs when they differ and when they agree again. A
 * difference within the error of a slow reply changes nothing.
 *
 * A virtual clock, as in tests, is not compared.
 */
export class ClockMonitor {
  #state: ClockState = 'unknown';
  /** The offset that was reported last. */
  #told: Ms = ms(0);
  /** The storage's clock and this one, each minus the monotonic time at the last reply. */
  #storage: Ms | undefined;
  #wall: Ms | undefined;
  #looking: Promise<void> | undefined;
  #isRefused = false;

  constructor(private readonly deps: ClockMonitorDeps) {
    if (deps.clock.isVirtual === true) this.#state = 'right';
  }

  get state(): ClockState {
    return this.#state;
  }

  /** Set while the clock is far off. */
  get fault(): ClockOffError | undefined {
    return this.#state === 'far-off' ? new ClockOffError(this.#told) : undefined;
  }

  /** Whether the wall clock has been set since the last reply, so that the state may no longer hold. */
  get hasStepped(): boolean {
    const { clock } = this.deps;
    return this.#wall !== undefined && Math.abs(clock.now() - clock.monotonic() - this.#wall) > step;
  }

  /**
   * Returns the time by this clock, or by the storage's if this one is behind: a lease that is counted from it does not
   * expire early for anybody.
   */
  latest(): EpochMs {
    const { clock } = this.deps;
    const now = clock.now();
    if (this.#storage === undefined) return now;
    const theirs = epochMs(this.#storage + clock.monotonic());
    return theirs - now > tolerated ? theirs : now;
  }

  /** Asks the storage for its time. Never rejects; concurrent calls share one reply. */
  look(): Promise<void> {
    if (this.deps.clock.isVirtual === true) return Promise.resolve();
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { broker, clock } = this.deps;
    const askedAt = clock.monotonic();
    let told: EpochMs;
    try {
      told = await broker.time();
    } catch (error) {
      return this.#notTold(error);
    }
    const answeredAt = clock.monotonic();
    const now = clock.now();
    const error = ms((answeredAt - askedAt) / 2);
    this.#storage = ms(told + error - answeredAt);
    this.#wall = ms(now - answeredAt);
    this.#judge({ offset: ms(now - told - error), error });
  }

  #judge({ offset, error }: Reading): void {
    const { logger, onOff, onRight, whileFarOff = '' } = this.deps;
    const before = this.#state;
    const size = Math.abs(offset);
    const isBeyond = (limit: Ms, wasBeyond: boolean): boolean => (wasBeyond ? size + error : size - error) > limit;
    const wasOff = before === 'off' || before === 'far-off';
    if (!isBeyond(tolerated, wasOff)) {
      this.#state = 'right';
      if (!wasOff) return;
      logger.info('The clocks of this machine and of Redis agree again');
      return onRight?.(offset);
    }
    const state = isBeyond(leaseLength, before === 'far-off') ? 'far-off' : 'off';
    this.#state = state;
    if (state === before && Math.abs(offset - this.#told) <= tolerated + error) return;
    this.#told = offset;
    logger.warn(
      `${describeOffset(offset)}: leases and due times are compared between machines, so set the one that is wrong` +
        (state === 'far-off' ? whileFarOff : ''),
    );
    onOff?.(offset, state);
  }

  /** Unreachable storage is logged elsewhere; storage that may not be asked is assumed to agree. */
  #notTold(error: unknown): void {
    if (error instanceof BrokerUnavailableError || error instanceof InvalidStateError) return;
    this.#state = 'right';
    this.#storage = undefined;
    this.#wall = undefined;
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.deps.logger.info(`The clock of this machine is not compared with that of Redis: ${describeError(error)}`);
  }
}
