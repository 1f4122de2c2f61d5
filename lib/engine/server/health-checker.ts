import type { Broker } from '../../model/broker/broker.js';
import { callUser } from '../../model/options/user-callback.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import type { ClockMonitor } from '../lifecycle/clock-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';

export interface HealthCheckerDeps {
  readonly broker: Pick<Broker, 'ping'>;
  readonly clockMonitor: Pick<ClockMonitor, 'fault'>;
  readonly healthCheck: (error: Error | undefined) => unknown;
  readonly every: Ms;
  readonly clock: Clock;
  readonly brokerMonitor: BrokerReachability;
  readonly logger: ThrottledLogger;
}

/**
 * Checks at every interval whether Redis answers, and tells the user; never at the start (S-101). A server that takes
 * no tasks because its clock is far off does not count as healthy either.
 */
export class HealthChecker extends PeriodicService {
  readonly #deps: HealthCheckerDeps;

  constructor(deps: HealthCheckerDeps) {
    const { every, clock, brokerMonitor, logger } = deps;
    super({ name: 'health check', every, first: 'after-interval', whileDown: 'run', clock, brokerMonitor, logger });
    this.#deps = deps;
  }

  override async runOnce(): Promise<undefined> {
    const { broker, clockMonitor, healthCheck, logger } = this.#deps;
    let fault: Error | undefined;
    try {
      await broker.ping();
      fault = clockMonitor.fault;
    } catch (error) {
      fault = error instanceof Error ? error : new Error(describeError(error));
    }
    callUser(
      () => healthCheck(fault),
      (error) => logger.error(`healthCheck failed: ${describeError(error)}`, { kind: 'healthCheck failed' }),
    );
    return undefined;
  }
}
