import { isDeepStrictEqual } from 'node:util';
import { leaseLength } from '../../model/broker/lifetimes.js';
import type { Disorder, MaintenanceContract } from '../../model/broker/maintenance.contract.js';
import type { Clock, Random } from '../../model/time/clock.js';
import { type EpochMs, ms, type Ms } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { MaintenanceLeases } from './maintenance-leases.js';

export interface ReconcilerDeps {
  readonly maintenance: Pick<MaintenanceContract, 'reconcile'>;
  readonly leases: Pick<MaintenanceLeases, 'maintained'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly brokerMonitor: BrokerReachability;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
}

interface Suspicion {
  readonly disorder: Disorder;
  readonly since: EpochMs;
}

/** A full lease: by then, a live worker has corrected what it was about to correct itself. */
const confirmAfter = leaseLength;
const betweenSteps = ms(1_000);
const betweenRounds = ms(120_000);
const maxSuspicions = 10_000;

/**
 * Finds what a crash, an eviction or another program left inconsistent in the queues that this server maintains, and
 * heals what is still inconsistent a full lease later. Works in small steps: with more tasks, a round takes longer but
 * does not cost more at a time. Any number of servers may do this at the same time, since healing checks again.
 */
export class Reconciler extends PeriodicService {
  readonly #deps: ReconcilerDeps;
  readonly #suspicions = new Map<string, Suspicion>();
  #cursor: string | undefined;
  /** The queues in which the cursor marks a place. */
  #queues: readonly string[] = [];

  constructor(deps: ReconcilerDeps) {
    const { clock, brokerMonitor, logger, random } = deps;
    // Servers that start together check at different times.
    const every = ms(betweenRounds * (0.25 + random() / 2));
    super({ name: 'reconciler', every, first: 'after-interval', whileDown: 'rest', clock, brokerMonitor, logger });
    this.#deps = deps;
  }

  override async runOnce(): Promise<Ms> {
    const { maintenance, leases, clock, random } = this.#deps;
    const queues = leases.maintained();
    if (!isDeepStrictEqual(queues, this.#queues)) this.#cursor = undefined;
    this.#queues = queues;
    if (queues.length === 0) return betweenRounds;
    const now = clock.now();
    const confirmed = this.#confirmed(now);
    const { cursor, suspicions, healed } = await maintenance.reconcile({
      queues,
      now,
      cursor: this.#cursor,
      confirmed: confirmed.map(({ disorder }) => disorder),
    });
    for (const { disorder } of confirmed) this.#suspicions.delete(keyOf(disorder));
    for (const disorder of suspicions) this.#suspect(disorder, now);
    for (const disorder of healed) this.#report(disorder);
    this.#cursor = cursor;
    return cursor === undefined ? this.#rest(now, ms(betweenRounds * (0.75 + random() / 2))) : betweenSteps;
  }

  #confirmed(now: EpochMs): readonly Suspicion[] {
    return [...this.#suspicions.values()].filter(({ since }) => since + confirmAfter <= now);
  }

  #suspect(disorder: Disorder, now: EpochMs): void {
    const key = keyOf(disorder);
    if (this.#suspicions.has(key) || this.#suspicions.size >= maxSuspicions) return;
    this.#suspicions.set(key, { disorder, since: now });
  }

  #report(disorder: Disorder): void {
    this.#deps.logger.warn(`Healed in queue "${disorder.queue}": ${disorder.kind} ("${disorder.subject}")`, {
      kind: `disorder ${disorder.queue} ${disorder.kind}`,
    });
    this.#deps.events.emit('healed', disorder);
  }

  /** Returns the time until the next round, or until the first suspicion can be acted on. */
  #rest(now: EpochMs, longest: Ms): Ms {
    let rest: number = longest;
    for (const { since } of this.#suspicions.values()) rest = Math.min(rest, since + confirmAfter - now);
    return ms(Math.max(betweenSteps, rest));
  }
}

function keyOf({ queue, kind, subject }: Disorder): string {
  return JSON.stringify([queue, kind, subject]);
}
