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
  ReconcileRequest,
  ReconcileResult,
  Recovery,
} from '../model/broker/maintenance.contract.js';
import { archiveLimits } from '../model/broker/lifetimes.js';
import type { SettleOutcome } from '../model/broker/work.contract.js';
import { type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { queueKeys } from './keys.js';
import { maxBatch, RedisForward } from './redis-forward.js';
import { RedisGroups } from './redis-groups.js';
import { RedisHeal } from './redis-heal.js';
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

/** The maintenance contract on Redis: assembles its parts, one for each role. */
export class RedisMaintenance implements MaintenanceContract {
  readonly #forward: RedisForward;
  readonly #recover: RedisRecover;
  readonly #groups: RedisGroups;
  readonly #reconcile: RedisReconcile;

  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {
    const heal = new RedisHeal(deps);
    this.#forward = new RedisForward(deps.runner);
    this.#recover = new RedisRecover({ ...deps, heal, settle: new RedisSettle(deps.runner) });
    this.#groups = new RedisGroups(deps);
    this.#reconcile = new RedisReconcile({ ...deps, heal, locks: new RedisLocks(deps) });
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

  async deleteExpiredCompleted(request: {
    readonly queue: string;
    readonly now: EpochMs;
    readonly limit: number;
  }): Promise<number> {
    const keys = queueKeys(request.queue);
    return numberReply(
      await this.deps.runner.run(
        deleteExpiredCompletedScript,
        [keys.completed, keys.archived],
        [
          keys.taskPrefix,
          toEpochSeconds(request.now),
          Math.min(request.limit, maxBatch),
          archiveLimits(request.now).size,
        ],
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
    return await this.#groups.readAggregationSet(request);
  }

  async finishAggregation(request: FinishAggregationRequest): Promise<FinishOutcome> {
    return await this.#groups.finishAggregation(request);
  }

  async returnAggregationSet(request: AggregationSetRequest): Promise<void> {
    await this.#groups.returnAggregationSet(request);
  }

  async deleteAggregationSet(request: AggregationSetRequest): Promise<void> {
    await this.#groups.deleteAggregationSet(request);
  }

  async reclaimAggregationSets(request: { readonly queue: string; readonly now: EpochMs }): Promise<number> {
    return await this.#groups.reclaimAggregationSets(request);
  }
}
