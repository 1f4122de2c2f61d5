import type { MaintenanceContract } from '../../model/broker/maintenance.contract.js';
import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { MaintenanceLeases } from './maintenance-leases.js';

export interface JanitorDeps {
  readonly maintenance: Pick<MaintenanceContract, 'deleteExpiredCompleted'>;
  readonly leases: Pick<MaintenanceLeases, 'maintained'>;
  readonly every: Ms;
  /** How many tasks one call deletes. */
  readonly batchSize: number;
  readonly clock: Clock;
  readonly brokerMonitor: BrokerReachability;
  readonly logger: ThrottledLogger;
}

/** Deletes completed tasks whose retention has ended, all of them at every run (S-103), of the queues that this server maintains. */
export class Janitor extends PeriodicService {
  readonly #deps: JanitorDeps;

  constructor(deps: JanitorDeps) {
    const { every, clock, brokerMonitor, logger } = deps;
    super({ name: 'janitor', every, first: 'after-interval', whileDown: 'rest', clock, brokerMonitor, logger });
    this.#deps = deps;
  }

  override async runOnce(): Promise<undefined> {
    await this.forEachQueue(this.#deps.leases.maintained(), async (queue) => await this.#clean(queue));
    return undefined;
  }

  async #clean(queue: string): Promise<void> {
    const { maintenance, clock, batchSize } = this.#deps;
    let deleted: number;
    do {
      deleted = await maintenance.deleteExpiredCompleted({ queue, now: clock.now(), limit: batchSize });
    } while (deleted > 0);
  }
}
