import { maxForwardedPerCall } from '../model/broker/call-limits.js';
import { archiveLimits } from '../model/broker/lifetimes.js';
import type { ForwardResult, MaintenanceContract } from '../model/broker/maintenance.contract.js';
import { epochMs, type EpochMs } from '../model/time/duration.js';
import type { KeyReader } from './key-reader.js';
import { globalKeys, queueKeys } from './keys.js';
import { listReply, numberReply, textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Moves due tasks to pending or to their groups (P-46). */
export const forwardDueScript = defineScript({
  file: 'forward-due.lua',
  keys: ['scheduled', 'retry', 'due', 'pending', 'groups', 'archived'],
  args: ['queue', 'taskPrefix', 'groupPrefix', 'now', 'limit', 'wakeChannel', 'archiveCutoff', 'archiveSize'],
  replies: [],
});

/** Moves due tasks. */
export class RedisForward {
  constructor(private readonly deps: { readonly runner: ScriptRunner; readonly reader: KeyReader }) {}

  /** {@link MaintenanceContract.earliestDue} */
  async earliestDue(queue: string): Promise<EpochMs | undefined> {
    const { scheduled, retry } = queueKeys(queue);
    const { reader } = this.deps;
    const first = Math.min(...(await Promise.all([reader.firstScore(scheduled), reader.firstScore(retry)])));
    // Exact times are rounded up to seconds.
    return first === Number.POSITIVE_INFINITY ? undefined : epochMs((first - 1) * 1_000 + 1);
  }

  /** {@link MaintenanceContract.forwardDue} */
  async forwardDue({ queue, now, limit }: Parameters<MaintenanceContract['forwardDue']>[0]): Promise<ForwardResult> {
    const keys = queueKeys(queue);
    const archive = archiveLimits(now);
    const reply = listReply(
      await this.deps.runner.run(
        forwardDueScript,
        [keys.scheduled, keys.retry, keys.due, keys.pending, keys.groups, keys.archived],
        [
          queue,
          keys.taskPrefix,
          keys.groupPrefix,
          Math.floor(now),
          Math.min(limit, maxForwardedPerCall),
          globalKeys.wakeChannel,
          archive.cutoffSeconds,
          archive.size,
        ],
      ),
    );
    const next = Number(textReply(reply[1]) || Number.NaN);
    const nextDueAt = Number.isFinite(next) ? epochMs(next) : undefined;
    return {
      forwarded: numberReply(reply[0]),
      more: nextDueAt !== undefined && nextDueAt <= now,
      nextDueAt,
    };
  }
}
