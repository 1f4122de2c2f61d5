import { waitForAll } from '../../model/time/wait.js';
import { leaseLength, skewAllowance } from '../../model/broker/lifetimes.js';
import type {
  ExpiredLease,
  ExpiredLeases,
  MaintenanceContract,
  Recovery,
} from '../../model/broker/maintenance.contract.js';
import type { PresenceContract } from '../../model/broker/presence.contract.js';
import { assertNever, type AsynqError } from '../../model/errors/asynq-error.js';
import type { PayloadCodec } from '../../model/task/payload.codec.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { Clock } from '../../model/time/clock.js';
import { type EpochMs, epochMs, fromEpochSeconds, ms, type Ms } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { polled } from '../lifecycle/deadline.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { type FailurePolicy, settleRecovered } from '../outcome/failure.js';
import { subjectOf } from '../outcome/event-task.js';
import { reportUndecodable } from '../storage-reporter.js';
import type { MaintenanceLeases } from './maintenance-leases.js';

export interface RecovererDeps {
  readonly maintenance: Pick<MaintenanceContract, 'listExpiredLeases' | 'recover' | 'reclaimAggregationSets'>;
  readonly presence: Pick<PresenceContract, 'listAlive'>;
  readonly leases: Pick<MaintenanceLeases, 'maintained'>;
  /** This server: `host:pid:server-id`. */
  readonly owner: string;
  /** What this server knows about tasks of a queue whose leases name it as the owner. */
  readonly ownRuns: (queue: string) => (taskId: string) => OwnRun;
  readonly policyFor: (message: TaskMessage) => FailurePolicy;
  /** Decodes payloads for listeners of the event. */
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly brokerMonitor: BrokerReachability;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  /** Called when a recovered task is delayed until `dueAt`, or pending again (`undefined`). */
  readonly onRecovered: (queue: string, dueAt: EpochMs | undefined) => void;
}

/**
 * `held`: it runs here, or its outcome is about to be written. `lost`: it ran here and its lease was lost.
 * `none`: it never arrived here, because the reply to a dequeue was lost.
 */
export type OwnRun = 'held' | 'lost' | 'none';

/** An expired lease, and what this server knows about the run if it is its own. */
interface Listed {
  readonly lease: ExpiredLease;
  readonly run: OwnRun | undefined;
}

/** A live server has published itself once Redis has been reachable for this long: slightly more than a heartbeat. */
const beatAllowance = ms(6_000);
/** How often to look for aggregation sets past their deadline (S-91). */
const setsEvery = ms(60_000);
const batchSize = 500;

/**
 * Takes back tasks whose lease ended. One whose worker is known to be gone is taken back at once and runs again at
 * once; one whose worker may be alive, or is a Go program, 30 s after its lease ended and with the delay of a retry.
 * Looks when the next lease could end, at the queues that this server maintains. Also returns the tasks of aggregation
 * sets that nobody finished to their groups.
 */
export class Recoverer extends PeriodicService {
  readonly #deps: RecovererDeps;
  /** Queues with an unanswered dequeue, and until when the tasks are leased that it may have taken unseen. */
  readonly #unanswered = new Map<string, EpochMs>();
  #setsLookedAt: EpochMs | undefined;

  constructor(deps: RecovererDeps) {
    const { clock, brokerMonitor, logger } = deps;
    super({
      name: 'recoverer',
      every: leaseLength,
      first: 'at-once',
      whileDown: 'rest',
      clock,
      brokerMonitor,
      logger,
    });
    this.#deps = deps;
  }

  /**
   * Notes that the reply to a dequeue was lost. The tasks it had taken until `leaseUntil` are put back at the next run,
   * which comes as soon as Redis is back: nobody else may touch them before their leases expire.
   */
  onLostAnswer(queue: string, leaseUntil: EpochMs): void {
    this.#lookForUnseen(queue, leaseUntil);
    if (this.#deps.brokerMonitor.isUp()) this.wake();
  }

  override async runOnce(): Promise<Ms> {
    const { clock, leases } = this.#deps;
    const unanswered = [...this.#unanswered.keys()];
    const puttingBack = this.forEachQueue(unanswered, async (queue) => await this.#putUnseenBack(queue));
    let next: number = clock.now() + leaseLength;
    const recovering = this.forEachQueue(leases.maintained(), async (queue) => {
      next = Math.min(next, await this.#recoverQueue(queue));
    });
    // A failure of one must not affect the others.
    await waitForAll([puttingBack, recovering, this.#reclaimSets()]);
    if (this.#unanswered.size > 0) next = Math.min(next, clock.now() + beatAllowance);
    // While it maintains no queue, it does not look, and its last look may be long ago.
    if (leases.maintained().length > 0) next = Math.min(next, (this.#setsLookedAt ?? next) + setsEvery);
    return ms(Math.max(250, next - clock.now()));
  }

  #lookForUnseen(queue: string, leaseUntil: EpochMs): void {
    this.#unanswered.set(queue, epochMs(Math.max(leaseUntil, this.#unanswered.get(queue) ?? 0)));
  }

  /**
   * Replies arrive in the order of the calls, so everything this server was given before this listing was made has
   * arrived by now, or never will.
   */
  async #putUnseenBack(queue: string): Promise<void> {
    const { maintenance, clock } = this.#deps;
    const leaseUntil = this.#unanswered.get(queue) as EpochMs;
    // What is lost from now on is noted anew.
    this.#unanswered.delete(queue);
    let areAllListed = false;
    try {
      const request = { queue, expiredBy: leaseUntil, now: clock.now(), limit: batchSize };
      const { leases } = await maintenance.listExpiredLeases(request);
      await polled();
      const unseen = this.#listed(queue, leases).filter(({ run }) => run === 'none');
      if (unseen.length > 0) await this.#recover(queue, { due: unseen, dead: new Set() });
      areAllListed = leases.length < batchSize;
    } finally {
      // A heartbeat later the leases of tasks that run end later than those of the unseen ones.
      if (!areAllListed) this.#lookForUnseen(queue, leaseUntil);
    }
  }

  async #reclaimSets(): Promise<void> {
    const { maintenance, clock, leases, logger } = this.#deps;
    const queues = leases.maintained();
    const now = clock.now();
    if (queues.length === 0) return;
    if (this.#setsLookedAt !== undefined && now < this.#setsLookedAt + setsEvery) return;
    this.#setsLookedAt = now;
    // A set of this server's may be about to be finished, by an answer that has not been read yet.
    await polled();
    await this.forEachQueue(queues, async (queue) => {
      const sets = await maintenance.reclaimAggregationSets({ queue, now });
      if (sets > 0)
        logger.warn(`Returned the tasks of ${sets} unfinished aggregation sets of queue "${queue}"`, {
          kind: `sets returned ${queue}`,
        });
    });
  }

  /** Returns when to check the queue again. */
  async #recoverQueue(queue: string): Promise<number> {
    const { maintenance, clock } = this.#deps;
    for (;;) {
      const now = clock.now();
      const expired = await maintenance.listExpiredLeases({ queue, expiredBy: now, now, limit: batchSize });
      reportUndecodable(expired.undecodable, this.#deps);
      const dead = await this.#deadOwners(expired.leases);
      const due = this.#listed(queue, expired.leases).filter((listed) => this.#isDue(listed, { now, dead }));
      if (due.length > 0) await this.#recover(queue, { due, dead });
      if (expired.leases.length === batchSize && due.length > 0) continue;
      return this.#nextLook(expired, { isWaiting: due.length < expired.leases.length, now });
    }
  }

  #nextLook(
    { nextEndsAt }: ExpiredLeases,
    { isWaiting, now }: { readonly isWaiting: boolean; readonly now: EpochMs },
  ): number {
    const next = nextEndsAt ?? now + leaseLength;
    return isWaiting ? Math.min(next, now + beatAllowance) : next;
  }

  /** Returns the owners that are servers like this one and are no longer published. */
  async #deadOwners(leases: readonly ExpiredLease[]): Promise<ReadonlySet<string>> {
    const { brokerMonitor, owner, presence } = this.#deps;
    // After an outage, the others need a heartbeat before they are published again.
    if (brokerMonitor.upFor() < beatAllowance) return new Set();
    const owners = new Set<string>();
    for (const lease of leases) {
      if (lease.owner !== undefined && lease.owner !== owner) owners.add(lease.owner);
    }
    if (owners.size === 0) return owners;
    const alive = await presence.listAlive([...owners]);
    return new Set([...owners].filter((one) => !alive.has(one)));
  }

  #isDue(
    { lease, run }: Listed,
    { now, dead }: { readonly now: EpochMs; readonly dead: ReadonlySet<string> },
  ): boolean {
    if (run === 'held') return false;
    if (run === 'none') return true;
    return isLongOver(lease, now) || (lease.owner !== undefined && dead.has(lease.owner));
  }

  /** Returns the leases with what this server knows about its own. */
  #listed(queue: string, leases: readonly ExpiredLease[]): readonly Listed[] {
    const { owner, ownRuns } = this.#deps;
    if (!leases.some((lease) => lease.owner === owner)) return leases.map((lease) => ({ lease, run: undefined }));
    const runOf = ownRuns(queue);
    return leases.map((lease) => ({ lease, run: lease.owner === owner ? runOf(lease.message.id) : undefined }));
  }

  async #recover(
    queue: string,
    { due, dead }: { readonly due: readonly Listed[]; readonly dead: ReadonlySet<string> },
  ): Promise<void> {
    const { maintenance, clock, logger } = this.#deps;
    const now = clock.now();
    const recoveries: readonly Recovery[] = due.map((listed) => ({
      settlement: this.#settlementOf(listed, { dead, now }),
      leaseSeconds: listed.lease.leaseSeconds,
    }));
    const outcomes = await maintenance.recover(queue, recoveries, now);
    let settled = 0;
    let fault: AsynqError | undefined;
    for (const [index, recovery] of recoveries.entries()) {
      const outcome = outcomes[index];
      if (outcome === 'settled') {
        settled += 1;
        this.#announce(queue, recovery);
      } else if (outcome !== undefined && outcome !== 'not-active') {
        fault ??= outcome;
      }
    }
    if (settled > 0)
      logger.warn(`Recovered ${settled} tasks of queue "${queue}" whose workers had lost them`, {
        kind: `recovered ${queue}`,
      });
    if (fault !== undefined) throw fault;
  }

  #settlementOf(
    { lease, run }: Listed,
    { dead, now }: { readonly dead: ReadonlySet<string>; readonly now: EpochMs },
  ): Recovery['settlement'] {
    const { message, canceled, owner } = lease;
    // Its handler was never called, so no retry is used up.
    if (run === 'none') return { kind: 'requeue', message };
    const settlement = settleRecovered(message, { canceled, policy: this.#deps.policyFor(message), now });
    if (settlement.kind !== 'retry') return settlement;
    // Its worker died, for which the task is not to blame; it has already waited for its lease to expire.
    const isOrphan = canceled === undefined && owner !== undefined && dead.has(owner);
    return isOrphan ? { ...settlement, retryAt: now } : settlement;
  }

  #announce(queue: string, { settlement }: Recovery): void {
    const { codec, events, onRecovered } = this.#deps;
    const task = subjectOf({ message: settlement.message, queue, codec });
    switch (settlement.kind) {
      case 'retry':
        onRecovered(queue, settlement.retryAt);
        return events.emit('recovered', { task, outcome: 'retry' });
      case 'archive':
        return events.emit('recovered', { task, outcome: 'archived' });
      case 'delete':
        return events.emit('recovered', { task, outcome: 'deleted' });
      case 'requeue':
        onRecovered(queue, undefined);
        return events.emit('requeued', { task });
      default:
        return assertNever(settlement);
    }
  }
}

function isLongOver(lease: ExpiredLease, now: EpochMs): boolean {
  return fromEpochSeconds(lease.leaseSeconds) + skewAllowance <= now;
}
