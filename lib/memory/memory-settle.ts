import { addToGroup } from '../model/broker/group-by.js';
import type { Settlement, SettleOutcome, UndecodableTask } from '../model/broker/work.contract.js';
import { asAsynqError, assertNever } from '../model/errors/asynq-error.js';
import { encodeTaskMessage } from '../model/task/task-message.codec.js';
import { messageOfUndecodable, type UndecodableRecord } from '../model/task/undecodable-record.js';
import { epochMs, type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import { addToArchive } from './memory-archive.js';
import { countRuns } from './memory-counters.js';
import { type DueTask, placeDue } from './memory-due.js';
import { copyOf, lockOf, reportOf } from './stored-record.js';
import type { LeaseClaim, MemoryQueue, MemoryTask } from './memory-state.js';
import { closedError, type MemoryContext } from './memory-context.js';

/** Outcomes of runs to write. */
export interface MemorySettleRequest {
  readonly queue: string;
  readonly settlements: readonly { readonly settlement: Settlement; readonly claim: LeaseClaim }[];
  readonly now: EpochMs;
}

/** A settlement, its encoded message, and the index of its outcome. */
interface Entry {
  readonly index: number;
  readonly settlement: Settlement;
  readonly claim: LeaseClaim;
  /** Empty for kinds that do not store one. */
  readonly record: Uint8Array;
}

/** The combined effects of the settlements of one kind. */
interface Batch {
  readonly queue: MemoryQueue;
  readonly now: EpochMs;
  readonly due: DueTask[];
  readonly requeued: string[];
  readonly archived: string[];
  succeeded: number;
  failed: number;
}

const noBytes = new Uint8Array(0);

/** Writes the outcomes of runs (P-67 to P-91). A task that is not both active and leased is not changed. */
export class MemorySettle {
  constructor(private readonly deps: MemoryContext) {}

  /** Settles tasks of one queue, those of one kind after those of another. Never throws. */
  settle(request: MemorySettleRequest): readonly SettleOutcome[] {
    const { settlements, now } = request;
    if (this.deps.lifetime.isClosed) return settlements.map(closedError);
    const outcomes: SettleOutcome[] = settlements.map(() => 'settled');
    const byKind = new Map<Settlement['kind'], Entry[]>();
    settlements.forEach(({ settlement, claim }, index) => {
      try {
        const entry = { index, settlement, claim, record: recordOf(settlement) };
        addToGroup(byKind, settlement.kind, entry);
      } catch (error) {
        outcomes[index] = asAsynqError(error);
      }
    });
    const queue = this.deps.store.queue(request.queue);
    for (const entries of byKind.values()) {
      const batch = newBatch(queue, now);
      for (const entry of entries) {
        const left = queue.leaveActive(entry.settlement.message.id, entry.claim);
        if (left === 'not-active') outcomes[entry.index] = left;
        else this.#write(entry, batch);
      }
      this.#finish(batch, entries[0]?.settlement.kind === 'retry' ? 'retry' : 'scheduled');
    }
    return outcomes;
  }

  /**
   * Archives running tasks whose records do not decode: their bytes are kept next to a record that decodes. Returns
   * which were still running under the claimed leases.
   */
  archiveUndecodable(request: {
    readonly queue: string;
    readonly records: readonly { readonly record: UndecodableRecord; readonly claim: LeaseClaim }[];
    readonly now: EpochMs;
  }): readonly UndecodableTask[] {
    const { records, now } = request;
    const queue = this.deps.store.queue(request.queue);
    const archived = records.filter(({ record, claim }) => queue.leaveActive(record.taskId, claim) !== 'not-active');
    return this.archiveRecords(queue, { records: archived.map(({ record }) => record), now });
  }

  /** Archives tasks whose records do not decode, once they have been removed from their place. */
  archiveRecords(
    queue: MemoryQueue,
    { records, now }: { readonly records: readonly UndecodableRecord[]; readonly now: EpochMs },
  ): readonly UndecodableTask[] {
    const batch = newBatch(queue, now);
    for (const record of records) {
      const bytes = queue.tasks.get(record.taskId)?.record ?? noBytes;
      const task = keep(queue, record.taskId, encodeTaskMessage(messageOfUndecodable(record, now)));
      task.undecodable = { reason: record.decoded.reason, bytes };
      task.state = 'archived';
      batch.archived.push(record.taskId);
    }
    batch.failed = records.length;
    this.#finish(batch, 'scheduled');
    return records.map(reportOf);
  }

  #write({ settlement, record }: Entry, batch: Batch): void {
    const { queue, now } = batch;
    const { id, uniqueKey } = settlement.message;
    switch (settlement.kind) {
      case 'done':
      case 'delete':
        queue.forget(id);
        this.deps.store.releaseLock(lockOf(queue.name, uniqueKey), id);
        if (settlement.kind === 'done') batch.succeeded += 1;
        return;
      case 'complete': {
        const task = keep(queue, id, record);
        task.state = 'completed';
        if (settlement.result !== undefined) task.result = copyOf(settlement.result);
        queue.completed.add(id, toEpochSeconds(settlement.expiresAt));
        this.deps.store.releaseLock(lockOf(queue.name, uniqueKey), id);
        batch.succeeded += 1;
        return;
      }
      case 'retry':
        keep(queue, id, record).state = 'retry';
        batch.due.push({ taskId: id, dueAt: settlement.retryAt });
        if (settlement.counts === 'as-failure') batch.failed += 1;
        return;
      case 'archive':
        keep(queue, id, record).state = 'archived';
        batch.archived.push(id);
        batch.failed += 1;
        return;
      case 'requeue': {
        const task = release(queue.taskOf(id, record));
        task.state = 'pending';
        task.pendingSince = epochMs(Math.floor(now));
        batch.requeued.push(id);
        return;
      }
      case 'snooze':
        batch.due.push({ taskId: id, dueAt: settlement.until });
        putOff(queue.taskOf(id, record));
        return;
      default:
        assertNever(settlement);
    }
  }

  #finish(batch: Batch, into: 'scheduled' | 'retry'): void {
    const { queue, now } = batch;
    const { store } = this.deps;
    addToArchive(this.deps, queue, { taskIds: batch.archived, now });
    placeDue(store, queue, { into, tasks: batch.due });
    queue.addPendingFirst(batch.requeued);
    countRuns(queue, batch, now);
  }
}

function newBatch(queue: MemoryQueue, now: EpochMs): Batch {
  return { queue, now, due: [], requeued: [], archived: [], succeeded: 0, failed: 0 };
}

function recordOf(settlement: Settlement): Uint8Array {
  return settlement.kind === 'done' || settlement.kind === 'delete' ? noBytes : encodeTaskMessage(settlement.message);
}

/** Replaces the record of a task that is no longer running. */
function keep(queue: MemoryQueue, taskId: string, record: Uint8Array): MemoryTask {
  const task = release(queue.taskOf(taskId, record));
  task.record = record;
  return task;
}

function release(task: MemoryTask): MemoryTask {
  task.owner = undefined;
  task.canceled = undefined;
  return task;
}

function putOff(task: MemoryTask): void {
  release(task).state = 'scheduled';
  task.groupWhenDue = undefined;
}
