import { maxMembersPerCall } from '../model/broker/call-limits.js';
import type {
  AggregationSet,
  AggregationSetRequest,
  FinishAggregationRequest,
  FinishOutcome,
} from '../model/broker/maintenance.contract.js';
import { archiveLimits } from '../model/broker/lifetimes.js';
import type { UndecodableTask } from '../model/broker/work.contract.js';
import { AsynqError } from '../model/errors/asynq-error.js';
import { decodeTaskMessage, encodeTaskMessage } from '../model/task/task-message.codec.js';
import type { TaskMessage } from '../model/task/task-message.js';
import { messageOfUndecodable, type UndecodableRecord } from '../model/task/undecodable-record.js';
import { type EpochMs, fromEpochSeconds, toEpochSeconds } from '../model/time/duration.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { dayCounters } from './day-counters.js';
import { aggregationSetKey, lockKey, type QueueKeys, queueKeys } from './keys.js';
import { storeArgumentNames, storeArguments, taskArguments, wrongPlaceError } from './redis-enqueue.js';
import { bytesReply, listReply, numberReply, textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Stores the combined task of a set and deletes the set with its tasks, or marks the set as finished. */
export const finishAggregationScript = defineScript({
  file: 'finish-aggregation.lua',
  keys: ['set', 'aggregationSets', 'pending', 'scheduled', 'retry', 'due', 'groups', '...locks'],
  args: [...storeArgumentNames, 'locksGiven', '...tasks'],
  replies: ['FINISHED', 'MORE', 'GONE', 'DUPLICATE', 'HELD', 'CONFLICT', 'WRONG_TYPE'],
});

/** Keeps unique locks beyond the deletion of the tasks that hold them. */
export const keepLocksScript = defineScript({
  file: 'keep-locks.lua',
  keys: ['set', '...locks'],
  args: ['taskPrefix'],
  replies: ['KEPT'],
});

/** Returns the members of one aggregation set to their group. */
export const returnAggregationSetScript = defineScript({
  file: 'return-aggregation-set.lua',
  keys: ['set', 'aggregationSets', 'groups'],
  args: ['groupPrefix'],
  replies: ['RETURNED', 'MORE', 'GONE'],
});

/** Reads a part of an aggregation set (S-117). */
export const readAggregationSetScript = defineScript({
  file: 'read-aggregation-set.lua',
  keys: ['set', 'aggregationSets'],
  args: ['taskPrefix', 'first', 'limit'],
  replies: [],
});

/** Archives tasks of an aggregation set whose records do not decode. */
export const archiveFromSetScript = defineScript({
  file: 'archive-from-set.lua',
  keys: ['set', 'archived', 'processedDay', 'processed', 'failedDay', 'failed'],
  args: ['taskPrefix', 'archivedAt', 'cutoff', 'size', 'dayExpiresAt', '...tasks'],
  replies: [],
});

/** Deletes an aggregation set with its tasks, some at a time (P-99). */
export const deleteAggregationSetScript = defineScript({
  file: 'delete-aggregation-set.lua',
  keys: ['set', 'aggregationSets'],
  args: ['taskPrefix'],
  replies: ['DELETED', 'MORE'],
});

/** Returns the members of old aggregation sets to their groups (P-100). */
export const reclaimAggregationSetsScript = defineScript({
  file: 'reclaim-aggregation-sets.lua',
  keys: ['aggregationSets', 'groups'],
  args: ['groupPrefix', 'now', 'limit'],
  replies: ['MORE', 'DONE'],
});

const finishOutcomes: Readonly<Record<string, FinishOutcome>> = {
  FINISHED: 'finished',
  MORE: 'finished',
  DUPLICATE: 'duplicate',
  HELD: 'duplicate',
  CONFLICT: 'id-conflict',
};

/** How many sets one call dissolves. */
const reclaimBatch = 100;

/** Members of a set, read page by page. */
interface Members {
  /** Epoch seconds; infinity if the set is finished; `undefined` if there is no set or it is returning to its group. */
  readonly deadline: number | undefined;
  readonly messages: readonly TaskMessage[];
  readonly faulty: readonly UndecodableRecord[];
}

/** Sets of tasks that are being aggregated. */
export class RedisAggregationSets {
  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {}

  /** Returns the tasks of a set, oldest first. */
  async readAggregationSet(
    request: AggregationSetRequest & { readonly now: EpochMs },
  ): Promise<AggregationSet | undefined> {
    const { queue, group, setId, now } = request;
    const set = aggregationSetKey(queueKeys(queue), group, setId);
    const { deadline, messages, faulty } = await this.#readMembers(queue, set);
    if (deadline === undefined || deadline === Infinity) return undefined;
    const undecodable = await this.#archiveFaulty({ queue, set, faulty, now });
    return { messages, undecodable, expiresAt: fromEpochSeconds(deadline) };
  }

  /** Stores the combined task of a set and deletes the set with its tasks. */
  async finishAggregation(request: FinishAggregationRequest): Promise<FinishOutcome> {
    const { queue, group, setId, combined, now } = request;
    const keys = queueKeys(queue);
    const { aggregationSets, pending, scheduled, retry, due, groups } = keys;
    const set = aggregationSetKey(keys, group, setId);
    const locks = lockKeys(keys, request.locks);
    const isSmall = locks.length <= maxMembersPerCall;
    const reply = await this.deps.runner.run(
      finishAggregationScript,
      [set, aggregationSets, pending, scheduled, retry, due, groups, ...(isSmall ? locks : [])],
      [
        ...storeArguments(keys, now),
        isSmall ? 'ALL' : 'NONE',
        ...taskArguments(keys, combined, encodeTaskMessage(combined.message)),
      ],
    );
    const word = textReply(reply);
    if (word === 'WRONG_TYPE') throw wrongPlaceError(combined);
    if (word === 'MORE') await this.#deleteGivenAway(keys, { set, locks });
    return finishOutcomes[word] ?? 'gone';
  }

  /** Returns the members of a set to their group. */
  async returnAggregationSet({ queue, group, setId }: AggregationSetRequest): Promise<void> {
    const keys = queueKeys(queue);
    const set = aggregationSetKey(keys, group, setId);
    let word: string;
    do {
      const keysOfSet = [set, keys.aggregationSets, keys.groups];
      word = textReply(await this.deps.runner.run(returnAggregationSetScript, keysOfSet, [keys.groupPrefix]));
    } while (word === 'MORE');
  }

  /** Deletes a set with all its tasks. */
  async deleteAggregationSet({ queue, group, setId }: AggregationSetRequest): Promise<void> {
    const keys = queueKeys(queue);
    await this.#deleteSet(keys, aggregationSetKey(keys, group, setId));
  }

  /** Returns the members of sets past their deadline to their groups, and deletes what is left of finished ones. */
  async reclaimAggregationSets(request: { readonly queue: string; readonly now: EpochMs }): Promise<number> {
    const keys = queueKeys(request.queue);
    await this.#deleteFinished(keys);
    let reclaimed = 0;
    for (;;) {
      const reply = await this.deps.runner.run(
        reclaimAggregationSetsScript,
        [keys.aggregationSets, keys.groups],
        [keys.groupPrefix, toEpochSeconds(request.now), reclaimBatch],
      );
      const [dissolved, word] = listReply(reply);
      reclaimed += numberReply(dissolved);
      if (textReply(word) !== 'MORE') return reclaimed;
    }
  }

  async #readMembers(queue: string, set: string): Promise<Members> {
    const keys = queueKeys(queue);
    const messages: TaskMessage[] = [];
    const faulty: UndecodableRecord[] = [];
    for (let first = 0; ; first += maxMembersPerCall) {
      const [deadline, seen, ...tasks] = listReply(
        await this.deps.runner.run(
          readAggregationSetScript,
          [set, keys.aggregationSets],
          [keys.taskPrefix, first, maxMembersPerCall],
        ),
      );
      const end = textReply(deadline);
      // The set was gone, or returned to its group while it was being read.
      if (end === '') return { deadline: undefined, messages: [], faulty: [] };
      for (let at = 0; at < tasks.length; at += 2) {
        const taskId = textReply(tasks[at]);
        const decoded = decodeTaskMessage(bytesReply(tasks[at + 1]));
        if (decoded.ok) messages.push({ ...decoded.message, id: taskId, queue });
        else faulty.push({ queue, taskId, decoded });
      }
      if (numberReply(seen) < maxMembersPerCall) {
        return { deadline: end === 'inf' ? Infinity : Number(end), messages, faulty };
      }
    }
  }

  /** Deletes a finished set, whose combined task is stored. If it fails, reclaiming sets deletes the rest. */
  async #deleteGivenAway(
    keys: QueueKeys,
    given: { readonly set: string; readonly locks: readonly string[] },
  ): Promise<void> {
    try {
      await this.#deleteWithLocks(keys, given);
    } catch (error) {
      if (!(error instanceof AsynqError)) throw error;
    }
  }

  /** Deletes sets whose server died after finishing them and before deleting them. */
  async #deleteFinished(keys: QueueKeys): Promise<void> {
    const { aggregationSets: key, queue } = keys;
    const command = async (): Promise<readonly string[]> =>
      listReply(await this.deps.connection.send('zrangebyscore', [key, '+inf', '+inf', 'LIMIT', 0, reclaimBatch])).map(
        textReply,
      );
    const finished = await this.deps.runner.withKey({ key, type: 'zset' }, { command, otherwise: [] });
    for (const set of finished) {
      const deleteOne = async (): Promise<void> => {
        const names = (await this.#readMembers(queue, set)).messages.map(({ uniqueKey }) => uniqueKey);
        await this.#deleteWithLocks(keys, { set, locks: lockKeys(keys, names) });
      };
      // A foreign member could name any key: it is only dropped.
      if (!set.startsWith(keys.groupPrefix)) await this.deps.connection.send('zrem', [key, set]);
      else await this.deps.runner.withKey({ key: set, type: 'zset' }, { command: deleteOne, otherwise: undefined });
    }
  }

  /**
   * Keeps every lock before any member is deleted: several servers may do this at the same time, and none of them may
   * delete a member before the locks of all have been checked.
   */
  async #deleteWithLocks(
    keys: QueueKeys,
    { set, locks }: { readonly set: string; readonly locks: readonly string[] },
  ): Promise<void> {
    for (let start = 0; start < locks.length; start += maxMembersPerCall) {
      const some = locks.slice(start, start + maxMembersPerCall);
      await this.deps.runner.run(keepLocksScript, [set, ...some], [keys.taskPrefix]);
    }
    await this.#deleteSet(keys, set);
  }

  async #deleteSet({ aggregationSets, taskPrefix }: QueueKeys, set: string): Promise<void> {
    let word: string;
    do {
      word = textReply(await this.deps.runner.run(deleteAggregationSetScript, [set, aggregationSets], [taskPrefix]));
    } while (word === 'MORE');
  }

  async #archiveFaulty(request: {
    readonly queue: string;
    readonly set: string;
    readonly faulty: readonly UndecodableRecord[];
    readonly now: EpochMs;
  }): Promise<readonly UndecodableTask[]> {
    const { queue, set, faulty, now } = request;
    const keys = queueKeys(queue);
    const limits = archiveLimits(now);
    const counters = dayCounters(keys, now);
    for (let start = 0; start < faulty.length; start += maxMembersPerCall) {
      const some = faulty.slice(start, start + maxMembersPerCall);
      await this.deps.runner.run(
        archiveFromSetScript,
        [set, keys.archived, ...counters.processed, ...counters.failed],
        [
          keys.taskPrefix,
          toEpochSeconds(now),
          limits.cutoffSeconds,
          limits.size,
          counters.expiresAtSeconds,
          ...some.flatMap((record) => [
            record.taskId,
            encodeTaskMessage(messageOfUndecodable(record, now)),
            record.decoded.reason,
          ]),
        ],
      );
    }
    return faulty.map(({ taskId, decoded }) => ({ queue, taskId, reason: decoded.reason }));
  }
}

function lockKeys(keys: QueueKeys, names: readonly string[]): readonly string[] {
  return names.map((name) => lockKey(keys, name)).filter((lock) => lock !== '');
}
