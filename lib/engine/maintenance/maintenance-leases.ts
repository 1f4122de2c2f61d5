import type {
  MaintenanceContract,
  MaintenanceLease,
  MaintenanceLeaseRequest,
} from '../../model/broker/maintenance.contract.js';
import type { MaintenanceNews, PresenceContract } from '../../model/broker/presence.contract.js';
import { BrokerCommandError } from '../../model/errors/broker-errors.js';
import type { Clock, Random } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import { waitForAll } from '../../model/time/wait.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';

export interface MaintenanceLeasesDeps {
  readonly maintenance: Pick<MaintenanceContract, 'leaseMaintenance' | 'releaseMaintenance'>;
  readonly presence: Pick<PresenceContract, 'announceMaintenance'>;
  readonly queues: readonly string[];
  /** This server: `host:pid:server-id`. */
  readonly owner: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly brokerMonitor: BrokerReachability;
  readonly logger: ThrottledLogger;
  /** Called when this server begins to maintain a queue. */
  readonly onGained: () => void;
}

/** Shorter than the lease of a task, so that another holder recovers a dead one's tasks as soon as their leases end. */
const leaseFor = ms(20_000);
const renewEvery = ms(9_000);
/** After a failure; leaves time for two attempts before the lease ends. */
const retryAfter = ms(3_000);
/** Servers that wait for the end of a lease ask one after the other, so that usually only the first one does. */
const spread = ms(1_000);

/**
 * Knows which queues this server maintains for all others: of the servers of a queue, one forwards, recovers, deletes
 * and reconciles, so that more servers do not cost more. The holder announces its lease to the others, which ask for it
 * only when the holder was silent until the lease ended, or has released it. Several servers that maintain the same
 * queue do no harm.
 */
export class MaintenanceLeases extends PeriodicService {
  readonly #deps: MaintenanceLeasesDeps;
  readonly #queues: ReadonlySet<string>;
  readonly #held = new Set<string>();
  /** Queues whose holder is gone, which this server maintains until their leases can be had or the holder is heard. */
  readonly #standIns = new Set<string>();
  /** Until when other servers hold leases, by the monotonic clock. */
  readonly #takenUntil = new Map<string, Ms>();

  constructor(deps: MaintenanceLeasesDeps) {
    const { clock, brokerMonitor, logger } = deps;
    super({
      name: 'maintenance leases',
      every: retryAfter,
      first: 'at-once',
      whileDown: 'rest',
      clock,
      brokerMonitor,
      logger,
    });
    this.#deps = deps;
    this.#queues = new Set(deps.queues);
  }

  /** The queues that this server maintains. */
  maintained(): readonly string[] {
    return [...this.#held, ...this.#standIns];
  }

  maintains(queue: string): boolean {
    return this.#held.has(queue) || this.#standIns.has(queue);
  }

  /** Notes that the holder of a queue left work undone: this server maintains the queue beside it. */
  standIn(queue: string): void {
    if (this.#held.has(queue)) return;
    this.#standIns.add(queue);
    this.#deps.onGained();
  }

  /** Notes what another server says that it maintains. Any program can say so: no lease is longer than one of ours. */
  hear({ owner, queues, heldFor }: MaintenanceNews): void {
    const { clock, random } = this.#deps;
    if (owner === this.#deps.owner) return;
    let isFree = false;
    for (const queue of queues) {
      if (!this.#queues.has(queue) || this.#held.has(queue)) continue;
      this.#takenUntil.set(queue, ms(clock.monotonic() + Math.min(heldFor, leaseFor)));
      this.#standIns.delete(queue);
      isFree ||= heldFor === 0;
    }
    if (isFree) this.wakeIn(ms(random() * spread));
  }

  override async runOnce(): Promise<Ms> {
    const { queues, clock, owner, onGained } = this.#deps;
    const asked = queues.filter((queue) => this.#held.has(queue) || this.#leftOf(queue) <= 0);
    let hasGained = false;
    const leased: string[] = [];
    const at = clock.monotonic();
    const now = clock.now();
    const answers = await Promise.allSettled(
      asked.map(async (queue) => {
        const lease = await this.#ask({ queue, owner, now, length: leaseFor });
        this.#standIns.delete(queue);
        if (lease?.kind === 'taken') {
          this.#held.delete(queue);
          this.#takenUntil.set(queue, ms(at + lease.heldFor));
          return;
        }
        hasGained ||= !this.#held.has(queue);
        this.#held.add(queue);
        // Others may still get a lease that was refused here.
        if (lease !== undefined) leased.push(queue);
      }),
    );
    if (hasGained) onGained();
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
    await this.#announce(leased, leaseFor);
    return this.#untilNext();
  }

  /** Releases the leases that this server holds, so that others take over at once. */
  override async stop(): Promise<void> {
    await super.stop();
    const held = [...this.#held];
    this.#held.clear();
    this.#standIns.clear();
    this.#takenUntil.clear();
    if (held.length > 0 && this.#deps.brokerMonitor.isUp()) await this.#release(held);
  }

  /** @throws the broker's error when it cannot be reached; then the leases end by themselves. */
  async #release(queues: readonly string[]): Promise<void> {
    const { maintenance, owner } = this.#deps;
    const released: string[] = [];
    await waitForAll(
      queues.map(async (queue) => {
        if (await isPermitted(maintenance.releaseMaintenance({ queue, owner }))) released.push(queue);
      }),
    );
    await this.#announce(released, ms(0));
  }

  /** Asks for a lease; resolves with `undefined` if the storage refuses it: then every server maintains the queue. */
  async #ask(request: MaintenanceLeaseRequest): Promise<MaintenanceLease | undefined> {
    try {
      return await this.#deps.maintenance.leaseMaintenance(request);
    } catch (error) {
      if (error instanceof BrokerCommandError) return undefined;
      throw error;
    }
  }

  async #announce(queues: readonly string[], heldFor: Ms): Promise<void> {
    if (queues.length === 0) return;
    const { presence, owner } = this.#deps;
    // If the user may not publish, the others ask for the lease.
    await isPermitted(presence.announceMaintenance({ owner, queues, heldFor }));
  }

  #untilNext(): Ms {
    let next: number = this.#held.size > 0 ? renewEvery : leaseFor;
    for (const queue of this.#takenUntil.keys()) {
      if (!this.#held.has(queue)) next = Math.min(next, this.#leftOf(queue) + this.#deps.random() * spread);
    }
    return ms(next);
  }

  #leftOf(queue: string): Ms {
    return ms((this.#takenUntil.get(queue) ?? 0) - this.#deps.clock.monotonic());
  }
}

/** Waits for a command; resolves with whether the server permits it. @throws any other error. */
async function isPermitted(command: Promise<void>): Promise<boolean> {
  try {
    await command;
    return true;
  } catch (error) {
    if (error instanceof BrokerCommandError) return false;
    throw error;
  }
}
