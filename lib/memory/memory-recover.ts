import { maxTasksPerCall } from '../model/broker/call-limits.js';
import type {
  ExpiredLease,
  ExpiredLeases,
  MaintenanceContract,
  Recovery,
} from '../model/broker/maintenance.contract.js';
import type { SettleOutcome } from '../model/broker/work.contract.js';
import type { UndecodableRecord } from '../model/task/undecodable-record.js';
import { type EpochMs, fromEpochSeconds, toEpochSeconds } from '../model/time/duration.js';
import type { MemoryContext } from './memory-context.js';
import { readRecord } from './stored-record.js';
import type { MemorySettle } from './memory-settle.js';
import type { MemoryQueue } from './memory-state.js';

/** The oldest leases that ended at or before a second, in Unix seconds. */
interface LeasePage {
  readonly expiredBy: number;
  readonly limit: number;
}

/** Takes back tasks from workers that are gone. */
export class MemoryRecover {
  constructor(private readonly deps: MemoryContext & { readonly settle: MemorySettle }) {}

  /** {@link MaintenanceContract.listExpiredLeases} */
  listExpiredLeases(request: Parameters<MaintenanceContract['listExpiredLeases']>[0]): ExpiredLeases {
    const { queue: name, now } = request;
    const queue = this.deps.store.queue(name);
    const expiredBy = toEpochSeconds(request.expiredBy);
    const next = queue.lease.scoreAbove(expiredBy);
    const leases: ExpiredLease[] = [];
    const faulty: { readonly record: UndecodableRecord; readonly leaseSeconds: number }[] = [];
    const limit = Math.min(request.limit, maxTasksPerCall);
    const dropped = dropLeasesWithoutTask(queue, { expiredBy, limit });
    this.deps.notices.dropped(name, { from: 'lease', count: dropped });
    for (const { id: taskId, score: leaseSeconds } of queue.lease.upTo(expiredBy, limit)) {
      const task = queue.tasks.get(taskId);
      if (task === undefined) continue;
      const decoded = readRecord(task.record, { queue: name, taskId });
      if (!decoded.ok) {
        faulty.push({ record: { queue: name, taskId, decoded }, leaseSeconds });
        continue;
      }
      const { message } = decoded;
      // A program that took the task back has written when it failed: an older note says nothing of who holds it now.
      const isOwned = task.owner !== undefined && task.owner.takenAtSeconds >= message.lastFailedAtSeconds;
      leases.push({
        message,
        leaseSeconds,
        owner: isOwned ? task.owner?.name : undefined,
        canceled: task.canceled,
      });
    }
    for (const { record } of faulty) heal(queue, record.taskId);
    const undecodable = this.deps.settle.archiveUndecodable({
      queue: name,
      records: faulty.map(({ record, leaseSeconds }) => ({ record, claim: { kind: 'listed', leaseSeconds } })),
      now,
    });
    return { leases, undecodable, nextEndsAt: next === undefined ? undefined : fromEpochSeconds(next) };
  }

  /** Settles tasks, each only under its listed lease. */
  recover(queue: string, recoveries: readonly Recovery[], now: EpochMs): readonly SettleOutcome[] {
    const { lifetime, settle, store } = this.deps;
    if (!lifetime.isClosed) for (const { settlement } of recoveries) heal(store.queue(queue), settlement.message.id);
    return settle.settle({
      queue,
      settlements: recoveries.map(({ settlement, leaseSeconds }) => ({
        settlement,
        claim: { kind: 'listed', leaseSeconds },
      })),
      now,
    });
  }
}

/** Drops leases without a task, which would otherwise block others forever. */
function dropLeasesWithoutTask(queue: MemoryQueue, { expiredBy, limit }: LeasePage): number {
  for (let dropped = 0; ;) {
    const lost = queue.lease.upTo(expiredBy, limit).filter(({ id }) => !queue.tasks.has(id));
    if (lost.length === 0) return dropped;
    dropped += lost.length;
    for (const { id } of lost) {
      queue.lease.delete(id);
      queue.active.delete(id);
    }
  }
}

/** Heals a task that is leased but not in `active`, which could never be settled. */
function heal(queue: MemoryQueue, taskId: string): void {
  if (!queue.lease.has(taskId) || queue.active.has(taskId)) return;
  if (queue.tasks.get(taskId)?.state === 'active') queue.active.addLast(taskId);
  else queue.lease.delete(taskId);
}
