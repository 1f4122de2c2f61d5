import { aggregationSetSize } from '../model/broker/call-limits.js';
import { aggregationSetFor } from '../model/broker/lifetimes.js';
import { randomUUID } from 'node:crypto';
import type {
  AggregationSet,
  AggregationSetRequest,
  CollectGroupRequest,
  FinishAggregationRequest,
  FinishOutcome,
  GroupCheck,
} from '../model/broker/maintenance.contract.js';
import { encodeTaskMessage } from '../model/task/task-message.codec.js';
import type { TaskMessage } from '../model/task/task-message.js';
import type { UndecodableRecord } from '../model/task/undecodable-record.js';
import { addMs, type EpochMs, fromEpochSeconds, toEpochSeconds, toLimitSeconds } from '../model/time/duration.js';
import type { MemoryContext } from './memory-context.js';
import { storeTasks } from './memory-enqueue.js';
import { lockOf, readRecord } from './stored-record.js';
import type { MemorySettle } from './memory-settle.js';
import type { MemoryQueue } from './memory-state.js';
import type { ScoredIds } from './scored-ids.js';

/** Collects the tasks of groups for aggregation. */
export class MemoryGroups {
  constructor(private readonly deps: MemoryContext & { readonly settle: MemorySettle }) {}

  /** Returns the names of the groups that have waiting tasks. */
  listGroups(queue: string): readonly string[] {
    return [...this.deps.store.queue(queue).groups];
  }

  /** Moves the members of a ready group into a new set. */
  collectGroup(request: CollectGroupRequest): GroupCheck {
    const { group, now, maxSize } = request;
    const queue = this.deps.store.queue(request.queue);
    const members = queue.members.get(group);
    if (members === undefined) {
      queue.groups.delete(group);
      return { kind: 'not-ready', readyAt: undefined };
    }
    const readyAt = readySecond(members, request);
    if (readyAt > toEpochSeconds(now)) return { kind: 'not-ready', readyAt: fromEpochSeconds(readyAt) };
    const setId = randomUUID();
    const set = setName({ group, setId });
    for (const { id, score } of members.upTo(Infinity, aggregationSetSize(maxSize))) {
      queue.leave(group, id);
      queue.join(set, id, score);
    }
    if (!queue.members.has(group)) queue.groups.delete(group);
    queue.aggregationSets.set(set, toEpochSeconds(addMs(now, aggregationSetFor)));
    return { kind: 'collected', setId };
  }

  /** Returns the tasks of a set, oldest first. */
  readAggregationSet(request: AggregationSetRequest & { readonly now: EpochMs }): AggregationSet | undefined {
    const { queue: name, now } = request;
    const queue = this.deps.store.queue(name);
    const set = setName(request);
    const deadline = queue.aggregationSets.get(set);
    if (deadline === undefined) return undefined;
    const messages: TaskMessage[] = [];
    const faulty: UndecodableRecord[] = [];
    for (const { id: taskId } of queue.members.get(set) ?? []) {
      const task = queue.tasks.get(taskId);
      if (task === undefined) continue;
      const decoded = readRecord(task.record, { queue: name, taskId });
      if (decoded.ok) messages.push(decoded.message);
      else faulty.push({ queue: name, taskId, decoded });
    }
    for (const { taskId } of faulty) queue.leave(set, taskId);
    const undecodable = this.deps.settle.archiveRecords(queue, { records: faulty, now });
    return { messages, undecodable, expiresAt: fromEpochSeconds(deadline) };
  }

  /** Stores the combined task of a set and deletes the set with its tasks. */
  finishAggregation(request: FinishAggregationRequest): FinishOutcome {
    const { combined, now } = request;
    const queue = this.deps.store.queue(request.queue);
    const set = setName(request);
    if (!queue.aggregationSets.has(set) || !queue.members.has(set)) return 'gone';
    const record = encodeTaskMessage(combined.message);
    // Checked before the new task is stored, since that task may also wait for aggregation.
    const stale = new Set(aggregatingMembers(queue, set));
    const missing = missingMembers(queue, set);
    const [outcome] = storeTasks(this.deps, { queue: request.queue, tasks: [{ request: combined, record }], now });
    if (outcome === 'id-conflict') return outcome;
    if (outcome !== 'stored') return 'duplicate';
    for (const taskId of stale) queue.forget(taskId);
    for (const name of request.locks) this.deps.store.keepLock(lockOf(queue.name, name), stale);
    dissolve(queue, set);
    this.deps.notices.dropped(request.queue, { from: 'group', count: missing });
    return 'finished';
  }

  /** Returns the members of a set to their group. */
  returnAggregationSet(request: AggregationSetRequest): void {
    const queue = this.deps.store.queue(request.queue);
    const set = setName(request);
    if (queue.aggregationSets.has(set)) returnSet(queue, set);
  }

  /** Deletes a set with all its tasks. Nobody holds their unique locks then. */
  deleteAggregationSet(request: AggregationSetRequest): void {
    const queue = this.deps.store.queue(request.queue);
    const set = setName(request);
    const missing = missingMembers(queue, set);
    for (const taskId of aggregatingMembers(queue, set)) queue.forget(taskId);
    dissolve(queue, set);
    this.deps.notices.dropped(request.queue, { from: 'group', count: missing });
  }

  /** Returns the members of sets past their deadline to their groups. */
  reclaimAggregationSets(request: { readonly queue: string; readonly now: EpochMs }): number {
    const queue = this.deps.store.queue(request.queue);
    const old = [...queue.aggregationSets].filter(([, deadline]) => deadline <= toEpochSeconds(request.now));
    for (const [set] of old) returnSet(queue, set);
    return old.length;
  }
}

function setName({ group, setId }: Pick<AggregationSetRequest, 'group' | 'setId'>): string {
  return `${group}:${setId}`;
}

/** Returns when a group is ready, in Unix seconds; a full group is ready at once. */
function readySecond(members: ScoredIds, request: CollectGroupRequest): number {
  const { maxSize } = request;
  if (maxSize > 0 && members.size >= maxSize) return -Infinity;
  const maxDelay = toLimitSeconds(request.maxDelay);
  const byGrace = (members.last?.score ?? 0) + toLimitSeconds(request.gracePeriod);
  return maxDelay === 0 ? byGrace : Math.min(byGrace, (members.first?.score ?? 0) + maxDelay);
}

/** Returns the members whose task is still aggregating; other ids are stale and belong to other tasks by now. */
function aggregatingMembers(queue: MemoryQueue, set: string): readonly string[] {
  const ids = [...(queue.members.get(set) ?? [])].map(({ id }) => id);
  return ids.filter((id) => queue.tasks.get(id)?.state === 'aggregating');
}

/** Counts the members that no longer have a task. */
function missingMembers(queue: MemoryQueue, set: string): number {
  return [...(queue.members.get(set) ?? [])].filter(({ id }) => !queue.tasks.has(id)).length;
}

function returnSet(queue: MemoryQueue, set: string): void {
  // A set's id contains no colon, but a group's name may.
  const group = set.slice(0, set.lastIndexOf(':'));
  for (const { id, score } of queue.members.get(set) ?? []) {
    queue.join(group, id, Math.min(score, queue.members.get(group)?.scoreOf(id) ?? score));
    // Nobody checks a group that is not listed.
    queue.groups.add(group);
  }
  dissolve(queue, set);
}

function dissolve(queue: MemoryQueue, set: string): void {
  queue.members.delete(set);
  queue.aggregationSets.delete(set);
}
