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
  ReconcileRequest,
  ReconcileResult,
  Recovery,
} from '../model/broker/maintenance.contract.js';
import { archiveLimits } from '../model/broker/lifetimes.js';
import type { SettleOutcome } from '../model/broker/work.contract.js';
import { type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { KeyReader } from './key-reader.js';
import { queueKeys } from './keys.js';
import { RedisForward } from './redis-forward.js';
import { RedisAggregationSets } from './redis-aggregation-sets.js';
import { RedisGroups } from './redis-groups.js';
import { RedisHeal } from './redis-heal.js';
import { RedisMaintenanceLease } from './redis-maintenance-lease.js';
import { RedisLocks } from './redis-locks.js';
import { RedisReconcile } from './redis-reconcile.js';
import { type ExpiredLeasesRequest, RedisRecover } from './redis-recover.js';
import { RedisSettle } from './redis-settle.js';
import { numberReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Deletes completed tasks whose retention has ended (P-75). */
export const deleteExpiredCompletedScript = defineScript({
  file: 'delete-expired-completed.lua',
  keys: ['completed', 'archived'],
  args: ['taskPrefix', 'now', 'limit', 'archiveSize'],
  replies: [],
});

/** The maintenance contract on Redis: assembles its parts, one per role. */
export class RedisMaintenance implements MaintenanceContract {
  readonly #reader: KeyReader;
  readonly #lease: RedisMaintenanceLease;
  readonly #forward: RedisForward;
  readonly #recover: RedisRecover;
  readonly #groups: RedisGroups;
  readonly #sets: RedisAggregationSets;
  readonly #reconcile: RedisReconcile;

  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {
    const heal = new RedisHeal(deps);
    const reader = new KeyReader(deps);
    this.#reader = reader;
    this.#lease = new RedisMaintenanceLease(deps.runner);
    this.#forward = new RedisForward({ ...deps, reader });
    this.#recover = new RedisRecover({ ...deps, reader, heal, settle: new RedisSettle(deps.runner) });
    this.#groups = new RedisGroups(deps);
    this.#sets = new RedisAggregationSets(deps);
    this.#reconcile = new RedisReconcile({ ...deps, reader, heal, locks: new RedisLocks(deps) });
  }

  async leaseMaintenance(request: MaintenanceLeaseRequest): Promise<MaintenanceLease> {
    return await this.#lease.lease(request);
  }

  async releaseMaintenance(request: { readonly queue: string; readonly owner: string }): Promise<void> {
    await this.#lease.release(request);
  }

  async earliestDue(queue: string): Promise<EpochMs | undefined> {
    return await this.#forward.earliestDue(queue);
  }

  async forwardDue(request: Parameters<RedisForward['forwardDue']>[0]): Promise<ForwardResult> {
    return await this.#forward.forwardDue(request);
  }

  async listExpiredLeases(request: ExpiredLeasesRequest): Promise<ExpiredLeases> {
    return await this.#recover.listExpiredLeases(request);
  }

  async recover(queue: string, recoveries: readonly Recovery[], now: EpochMs): Promise<readonly SettleOutcome[]> {
    return await this.#recover.recover({ queue, recoveries, now });
  }

  async deleteExpiredCompleted({
    queue,
    now,
    limit,
  }: {
    readonly queue: string;
    readonly now: EpochMs;
    readonly limit: number;
  }): Promise<number> {
    const keys = queueKeys(queue);
    const nowSeconds = toEpochSeconds(now);
    const { size } = archiveLimits(now);
    if ((await this.#reader.countExisting([keys.completed, keys.archived])) === 0) return 0;
    const [firstEnd, archived] = await Promise.all([
      this.#reader.firstScore(keys.completed),
      this.#reader.sizeOf(keys.archived),
    ]);
    if (firstEnd > nowSeconds && archived <= size) return 0;
    return numberReply(
      await this.deps.runner.run(
        deleteExpiredCompletedScript,
        [keys.completed, keys.archived],
        [keys.taskPrefix, nowSeconds, Math.min(limit, maxDeletedPerCall), size],
      ),
    );
  }

  async reconcile(request: ReconcileRequest): Promise<ReconcileResult> {
    return await this.#reconcile.reconcile(request);
  }

  async listGroups(queue: string): Promise<readonly string[]> {
    return await this.#groups.listGroups(queue);
  }

  async collectGroup(request: CollectGroupRequest): Promise<GroupCheck> {
    return await this.#groups.collectGroup(request);
  }

  async readAggregationSet(
    request: AggregationSetRequest & { readonly now: EpochMs },
  ): Promise<AggregationSet | undefined> {
    return await this.#sets.readAggregationSet(request);
  }

  async finishAggregation(request: FinishAggregationRequest): Promise<FinishOutcome> {
    return await this.#sets.finishAggregation(request);
  }

  async returnAggregationSet(request: AggregationSetRequest): Promise<void> {
    await this.#sets.returnAggregationSet(request);
  }

  async deleteAggregationSet(request: AggregationSetRequest): Promise<void> {
    await this.#sets.deleteAggregationSet(request);
  }

  async reclaimAggregationSets(request: { readonly queue: string; readonly now: EpochMs }): Promise<number> {
    const { aggregationSets } = queueKeys(request.queue);
    if ((await this.#reader.countExisting([aggregationSets])) === 0) return 0;
    return await this.#sets.reclaimAggregationSets(request);
  }
}
