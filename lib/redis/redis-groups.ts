import { randomUUID } from 'node:crypto';
import type {
  AggregationSet,
  AggregationSetRequest,
  CollectGroupRequest,
  FinishAggregationRequest,
  FinishOutcome,
  GroupCheck,
} from '../model/broker/maintenance.contract.js';
import { aggregationSetFor, archiveLimits } from '../model/broker/lifetimes.js';
import type { UndecodableTask } from '../model/broker/work.contract.js';
import { decodeTaskMessage, encodeTaskMessage } from '../model/task/task-message.codec.js';
import type { TaskMessage } from '../model/task/task-message.js';
import { messageOfUndecodable, type UndecodableRecord } from '../model/task/undecodable-record.js';
import { addMs, type EpochMs, fromEpochSeconds, toEpochSeconds, toLimitSeconds } from '../model/time/duration.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { dayCounters } from './day-counters.js';
import { aggregationSetKey, groupKey, lockKey, queueKeys } from './keys.js';
import { storeArguments, taskArguments, wrongPlaceError } from './redis-enqueue.js';
import { bytesReply, listReply, numberReply, textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Moves a group that is ready into an aggregation set (P-94). */
export const collectGroupScript = defineScript({
  file: 'collect-group.lua',
  keys: ['group', 'set', 'aggregationSets', 'groups'],
  args: ['name', 'now', 'deadline', 'maxSize', 'maxDelay', 'gracePeriod'],
  replies: ['COLLECTED', 'NOT_READY'],
});

/** Stores the task that stands for a set and deletes the set with its tasks. */
export const finishAggregationScript = defineScript({
  file: 'finish-aggregation.lua',
  keys: ['set', 'aggregationSets', 'pending', 'scheduled', 'retry', 'due', 'groups', '...locks'],
  args: ['taskPrefix', 'groupPrefix', 'now', 'pendingSince', 'wakeChannel', 'dueChannel', 'queue', '...tasks'],
  replies: ['FINISHED', 'GONE', 'DUPLICATE', 'HELD', 'CONFLICT', 'WRONG_TYPE'],
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

/** Deletes an aggregation set with its tasks (P-99). */
export const deleteAggregationSetScript = defineScript({
  file: 'delete-aggregation-set.lua',
  keys: ['set', 'aggregationSets'],
  args: ['taskPrefix'],
  replies: [],
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
  DUPLICATE: 'duplicate',
  HELD: 'duplicate',
  CONFLICT: 'id-conflict',
};

/** How many members one call reads, so that a large set does not hold up everybody else. */
const readBatch = 500;
/** How many sets one call dissolves. */
const reclaimBatch = 100;

/** Collects the tasks of groups for aggregation. */
export class RedisGroups {
  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {}

  /** Names of the groups that have waiting tasks. */
  async listGroups(queue: string): Promise<readonly string[]> {
    const { groups } = queueKeys(queue);
    const command = async (): Promise<readonly string[]> =>
      listReply(await this.deps.connection.send('smembers', [groups])).map(textReply);
    return await this.deps.runner.withKey({ key: groups, type: 'set' }, { command, otherwise: [] });
  }

  /** Moves the members of a group that is ready into a new set. */
  async collectGroup(request: CollectGroupRequest): Promise<GroupCheck> {
    const { queue, group, now, maxSize } = request;
    const keys = queueKeys(queue);
    const setId = randomUUID();
    const reply = await this.deps.runner.run(
      collectGroupScript,
      [groupKey(keys, group), aggregationSetKey(keys, group, setId), keys.aggregationSets, keys.groups],
      [
        group,
        toEpochSeconds(now),
        toEpochSeconds(addMs(now, aggregationSetFor)),
        maxSize,
        toLimitSeconds(request.maxDelay),
        toLimitSeconds(request.gracePeriod),
      ],
    );
    const [word, readyAt] = listReply(reply).map(textReply);
    if (word === 'COLLECTED') return { kind: 'collected', setId };
    return { kind: 'not-ready', readyAt: readyAt === '' ? undefined : fromEpochSeconds(Number(readyAt)) };
  }

  /** The tasks of a set, oldest first. */
  async readAggregationSet(
    request: AggregationSetRequest & { readonly now: EpochMs },
  ): Promise<AggregationSet | undefined> {
    const { queue, group, setId, now } = request;
    const keys = queueKeys(queue);
    const set = aggregationSetKey(keys, group, setId);
    const messages: TaskMessage[] = [];
    const faulty: UndecodableRecord[] = [];
    for (let first = 0; ; first += readBatch) {
      const [deadline, seen, ...tasks] = listReply(
        await this.deps.runner.run(
          readAggregationSetScript,
          [set, keys.aggregationSets],
          [keys.taskPrefix, first, readBatch],
        ),
      );
      // Gone already, or while it was being read: then its tasks wait in the group again.
      if (textReply(deadline) === '') return undefined;
      for (let at = 0; at < tasks.length; at += 2) {
        const taskId = textReply(tasks[at]);
        const decoded = decodeTaskMessage(bytesReply(tasks[at + 1]));
        if (decoded.ok) messages.push({ ...decoded.message, id: taskId, queue });
        else faulty.push({ queue, taskId, decoded });
      }
      if (numberReply(seen) < readBatch) {
        const undecodable = await this.#archiveFaulty({ queue, set, faulty, now });
        return { messages, undecodable, expiresAt: fromEpochSeconds(numberReply(deadline)) };
      }
    }
  }

  /** Stores the task that stands for a set and deletes the set with its tasks. */
  async finishAggregation(request: FinishAggregationRequest): Promise<FinishOutcome> {
    const { queue, group, setId, combined, now } = request;
    const keys = queueKeys(queue);
    const { aggregationSets, pending, scheduled, retry, due, groups } = keys;
    const locks = request.locks.map((lock) => lockKey(keys, lock)).filter((lock) => lock !== '');
    const reply = await this.deps.runner.run(
      finishAggregationScript,
      [aggregationSetKey(keys, group, setId), aggregationSets, pending, scheduled, retry, due, groups, ...locks],
      [...storeArguments(keys, now), ...taskArguments(keys, combined, encodeTaskMessage(combined.message))],
    );
    const word = textReply(reply);
    if (word === 'WRONG_TYPE') throw wrongPlaceError(combined);
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
    await this.deps.runner.run(
      deleteAggregationSetScript,
      [aggregationSetKey(keys, group, setId), keys.aggregationSets],
      [keys.taskPrefix],
    );
  }

  /** Returns the members of sets past their deadline to their groups. */
  async reclaimAggregationSets(request: { readonly queue: string; readonly now: EpochMs }): Promise<number> {
    const keys = queueKeys(request.queue);
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
    for (let start = 0; start < faulty.length; start += readBatch) {
      const some = faulty.slice(start, start + readBatch);
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
