import { maxDeletedPerCall } from '../model/broker/call-limits.js';
import type {
  AggregationSet,
  AggregationSetRequest,
  CollectGroupRequest,
  ExpiredLeases,
  FinishAggregationRequest,
  FinishOutcome,
  ForwardResult,
  GroupCheck,
  MaintenanceContract,
  MaintenanceLease,
  MaintenanceLeaseRequest,
  ReconcileResult,
  Recovery,
} from '../model/broker/maintenance.contract.js';
import type { SettleOutcome } from '../model/broker/work.contract.js';
import { addMs, elapsed, type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import type { MemoryContext } from './memory-context.js';
import { MemoryDue } from './memory-due.js';
import { MemoryGroups } from './memory-groups.js';
import { MemoryRecover } from './memory-recover.js';
import type { MemorySettle } from './memory-settle.js';

/** The maintenance contract in memory: assembles its parts, one per role. */
export class MemoryMaintenance implements MaintenanceContract {
  readonly #due: MemoryDue;
  readonly #recover: MemoryRecover;
  readonly #groups: MemoryGroups;

  constructor(private readonly deps: MemoryContext & { readonly settle: MemorySettle }) {
    this.#due = new MemoryDue(deps);
    this.#recover = new MemoryRecover(deps);
    this.#groups = new MemoryGroups(deps);
  }

  async leaseMaintenance({ queue, owner, now, length }: MaintenanceLeaseRequest): Promise<MaintenanceLease> {
    this.deps.lifetime.refuseClosed();
    const { maintenance } = this.deps.store;
    const held = maintenance.get(queue, now);
    if (held !== undefined && held.value !== owner) return { kind: 'taken', heldFor: elapsed(now, held.expiresAt) };
    maintenance.set(queue, { value: owner, expiresAt: addMs(now, length) });
    return { kind: 'held' };
  }

  async releaseMaintenance({ queue, owner }: { readonly queue: string; readonly owner: string }): Promise<void> {
    this.deps.lifetime.refuseClosed();
    const { maintenance } = this.deps.store;
    if (maintenance.peek(queue) === owner) maintenance.delete(queue);
  }

  async earliestDue(queue: string): Promise<EpochMs | undefined> {
    this.deps.lifetime.refuseClosed();
    return this.#due.earliestDue(queue);
  }

  async forwardDue(request: Parameters<MaintenanceContract['forwardDue']>[0]): Promise<ForwardResult> {
    this.deps.lifetime.refuseClosed();
    return this.#due.forwardDue(request);
  }

  async listExpiredLeases(request: Parameters<MaintenanceContract['listExpiredLeases']>[0]): Promise<ExpiredLeases> {
    this.deps.lifetime.refuseClosed();
    return this.#recover.listExpiredLeases(request);
  }

  async recover(queue: string, recoveries: readonly Recovery[], now: EpochMs): Promise<readonly SettleOutcome[]> {
    return this.#recover.recover(queue, recoveries, now);
  }

  async deleteExpiredCompleted(request: {
    readonly queue: string;
    readonly now: EpochMs;
    readonly limit: number;
  }): Promise<number> {
    this.deps.lifetime.refuseClosed();
    const queue = this.deps.store.queue(request.queue);
    const expired = queue.completed.upTo(toEpochSeconds(request.now), Math.min(request.limit, maxDeletedPerCall));
    let missing = 0;
    for (const { id } of expired) {
      queue.completed.delete(id);
      const task = queue.tasks.get(id);
      if (task === undefined) missing += 1;
      // A stale id here belongs to another task by now.
      if (task?.state === 'completed') queue.forget(id);
    }
    this.deps.notices.dropped(request.queue, { from: 'completed', count: missing });
    return expired.length;
  }

  /**
   * Finds nothing: the causes of inconsistencies in Redis (evictions, other programs, a crash between two commands) do
   * not exist in a store to which only this library writes, each change as a whole.
   */
  async reconcile(): Promise<ReconcileResult> {
    this.deps.lifetime.refuseClosed();
    return { cursor: undefined, suspicions: [], healed: [] };
  }

  async listGroups(queue: string): Promise<readonly string[]> {
    this.deps.lifetime.refuseClosed();
    return this.#groups.listGroups(queue);
  }

  async collectGroup(request: CollectGroupRequest): Promise<GroupCheck> {
    this.deps.lifetime.refuseClosed();
    return this.#groups.collectGroup(request);
  }

  async readAggregationSet(
    request: AggregationSetRequest & { readonly now: EpochMs },
  ): Promise<AggregationSet | undefined> {
    this.deps.lifetime.refuseClosed();
    return this.#groups.readAggregationSet(request);
  }

  async finishAggregation(request: FinishAggregationRequest): Promise<FinishOutcome> {
    this.deps.lifetime.refuseClosed();
    return this.#groups.finishAggregation(request);
  }

  async returnAggregationSet(request: AggregationSetRequest): Promise<void> {
    this.deps.lifetime.refuseClosed();
    this.#groups.returnAggregationSet(request);
  }

  async deleteAggregationSet(request: AggregationSetRequest): Promise<void> {
    this.deps.lifetime.refuseClosed();
    this.#groups.deleteAggregationSet(request);
  }

  async reclaimAggregationSets(request: { readonly queue: string; readonly now: EpochMs }): Promise<number> {
    this.deps.lifetime.refuseClosed();
    return this.#groups.reclaimAggregationSets(request);
  }
}
