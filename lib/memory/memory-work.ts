import { maxTasksPerCall } from '../model/broker/call-limits.js';
import type {
  DequeueRequest,
  DequeueResult,
  ExtendLeasesRequest,
  LeaseNews,
  SettleOutcome,
  SettleRequest,
  WaitRequest,
  WorkContract,
  WriteResultRequest,
} from '../model/broker/work.contract.js';
import type { CancelOutcome } from '../model/broker/presence.contract.js';
import type { TaskMessage } from '../model/task/task-message.js';
import type { UndecodableRecord } from '../model/task/undecodable-record.js';
import { toEpochSeconds } from '../model/time/duration.js';
import { waitForCall } from '../model/time/wait.js';
import type { MemoryContext } from './memory-context.js';
import { copyOf, readRecord } from './stored-record.js';
import type { MemorySettle } from './memory-settle.js';
import { takePending } from './memory-pending.js';

/** The work contract in memory. */
export class MemoryWork implements WorkContract {
  constructor(private readonly deps: MemoryContext & { readonly settle: MemorySettle }) {}

  async dequeue(request: DequeueRequest): Promise<DequeueResult> {
    const { lifetime, store, settle, notices } = this.deps;
    lifetime.refuseClosed();
    const { queue: name, now } = request;
    const queue = store.queue(name);
    if (queue.isPaused) return { messages: [], undecodable: [], left: 'paused' };
    const limit = Math.min(request.limit, maxTasksPerCall);
    const { taken, left, others, dropped } = takePending(queue, { ...request, limit });
    notices.dropped(name, { from: 'pending', count: dropped });
    const leaseSeconds = toEpochSeconds(request.leaseUntil);
    const owner = { name: request.owner, takenAtSeconds: toEpochSeconds(now) };
    const messages: TaskMessage[] = [];
    const records: UndecodableRecord[] = [];
    for (const { taskId, task } of taken) {
      task.state = 'active';
      task.owner = owner;
      task.pendingSince = undefined;
      queue.active.addLast(taskId);
      queue.lease.add(taskId, leaseSeconds);
      const decoded = readRecord(task.record, { queue: name, taskId });
      if (decoded.ok) messages.push(decoded.message);
      else records.push({ queue: name, taskId, decoded });
    }
    if (records.length === 0) return { messages, undecodable: [], left, others };
    const { leaseUntil } = request;
    const run = { takenAt: now, leaseUntil, leaseAsked: leaseUntil };
    const claim = { kind: 'held', owner: request.owner, run } as const;
    const faulty = records.map((record) => ({ record, claim }));
    const undecodable = settle.archiveUndecodable({ queue: name, records: faulty, now });
    return { messages, undecodable, left, others };
  }

  async extendLeases({ queue: name, owner, leases, leaseUntil }: ExtendLeasesRequest): Promise<LeaseNews> {
    this.deps.lifetime.refuseClosed();
    const queue = this.deps.store.queue(name);
    const lost: string[] = [];
    const canceled: { taskId: string; outcome: CancelOutcome }[] = [];
    for (const { taskId, until, takenAt } of leases) {
      const end = queue.lease.scoreOf(taskId);
      const task = queue.tasks.get(taskId);
      const isHeld =
        end !== undefined &&
        end <= toEpochSeconds(until) &&
        task?.owner?.name === owner &&
        task.owner.takenAtSeconds === toEpochSeconds(takenAt);
      if (!isHeld) {
        lost.push(taskId);
        continue;
      }
      queue.lease.add(taskId, toEpochSeconds(leaseUntil));
      if (task.canceled !== undefined) canceled.push({ taskId, outcome: task.canceled });
    }
    return { lost, canceled };
  }

  async settle({ queue, owner, settlements, now }: SettleRequest): Promise<readonly SettleOutcome[]> {
    return this.deps.settle.settle({
      queue,
      settlements: settlements.map((run) => ({ settlement: run.settlement, claim: { kind: 'held', owner, run } })),
      now,
    });
  }

  async writeResult(request: WriteResultRequest): Promise<boolean> {
    this.deps.lifetime.refuseClosed();
    const queue = this.deps.store.queue(request.queue);
    const task = queue.tasks.get(request.taskId);
    const claim = { kind: 'held', owner: request.owner, run: request } as const;
    if (task === undefined || !queue.isClaimed(request.taskId, claim)) return false;
    task.result = copyOf(request.result);
    return true;
  }

  /** Never `busy`: there is no connection to run out of. Closing the broker ends it with `none`. */
  async waitForTask({ queue: name, timeout, signal }: WaitRequest): Promise<'task' | 'none' | 'busy'> {
    const { lifetime, store, clock } = this.deps;
    lifetime.refuseClosed();
    const queue = store.queue(name);
    if (queue.pending.size > 0) return 'task';
    const { ended } = await waitForCall(
      (tell) => {
        queue.waiters.add(tell);
        return () => void queue.waiters.delete(tell);
      },
      { clock, limit: timeout, signal: [signal, lifetime.ended] },
    );
    return ended === 'in-time' ? 'task' : 'none';
  }

  async findWithTasks(queues: readonly string[]): Promise<readonly string[]> {
    const { lifetime, store } = this.deps;
    lifetime.refuseClosed();
    return queues.filter((name) => store.queue(name).pending.size > 0);
  }

  async isPaused(queue: string): Promise<boolean> {
    this.deps.lifetime.refuseClosed();
    return this.deps.store.queue(queue).isPaused;
  }
}
