import { addToGroup } from '../model/broker/group-by.js';
import { asAsynqError } from '../model/errors/asynq-error.js';
import { enqueueOutcome, type StoreOutcome } from '../model/broker/enqueue-refusal.js';
import type { EnqueueContract, EnqueueOutcome, EnqueueRequest } from '../model/broker/enqueue.contract.js';
import { BrokerCommandError } from '../model/errors/broker-errors.js';
import { encodeTaskMessage } from '../model/task/task-message.codec.js';
import type { EpochMs } from '../model/time/duration.js';
import type { RedisArgument, RedisConnection, RedisReply } from './connection/redis-connection.js';
import { globalKeys, groupKey, lockKey, type QueueKeys, queueKeys } from './keys.js';
import { QueueRegistry } from './queue-registry.js';
import { listReply, numberReply, textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';
import { pendingSince } from './settle-scripts.js';
import { taskBatches } from './task-batches.js';

/** Names of what {@link storeArguments} returns. */
export const storeArgumentNames = [
  'taskPrefix',
  'groupPrefix',
  'now',
  'pendingSince',
  'wakeChannel',
  'dueChannel',
  'queue',
] as const;

/** Stores tasks without a delay or a lock (P-31). */
export const enqueuePendingScript = defineScript({
  file: 'enqueue-pending.lua',
  keys: ['pending'],
  args: ['taskPrefix', 'pendingSince', 'wakeChannel', 'queue', '...tasks'],
  replies: ['CONFLICT'],
});

/** Stores tasks of every kind (P-31 to P-45). */
export const enqueueScript = defineScript({
  file: 'enqueue.lua',
  keys: ['pending', 'scheduled', 'retry', 'due', 'groups'],
  args: [...storeArgumentNames, '...tasks'],
  replies: ['DUPLICATE', 'HELD', 'CONFLICT', 'WRONG_TYPE'],
});

/** A request, its encoded message, and the index of its outcome. */
interface Entry {
  readonly index: number;
  readonly request: EnqueueRequest;
  readonly message: Buffer;
}

interface QueueWrite {
  readonly keys: QueueKeys;
  readonly entries: readonly Entry[];
  readonly outcomes: EnqueueOutcome[];
  readonly now: EpochMs;
}

/** The enqueue contract on Redis: script calls of bounded size, those of one queue one after the other. */
export class RedisEnqueue implements EnqueueContract {
  readonly #registry: QueueRegistry;

  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {
    this.#registry = new QueueRegistry(deps);
  }

  async enqueue(requests: readonly EnqueueRequest[], now: EpochMs): Promise<readonly EnqueueOutcome[]> {
    const outcomes: EnqueueOutcome[] = requests.map(() => 'enqueued');
    const byQueue = new Map<string, Entry[]>();
    requests.forEach((request, index) => {
      try {
        const entry: Entry = { index, request, message: encodeTaskMessage(request.message) };
        addToGroup(byQueue, request.message.queue, entry);
      } catch (error) {
        outcomes[index] = asAsynqError(error);
      }
    });
    const writes = [...byQueue].map(([queue, entries]) => ({ keys: queueKeys(queue), entries, outcomes, now }));
    await Promise.all(writes.map((write) => this.#enqueueTo(write)));
    return outcomes;
  }

  async #enqueueTo({ keys, entries, outcomes, now }: QueueWrite): Promise<void> {
    let left = entries;
    try {
      // Before the tasks, not concurrently: a task must never be in a queue that nobody can see.
      if (!this.#registry.isRegistered(keys.queue, now)) await this.#registry.register(keys.queue, now);
      // One after the other, so that tasks stay in order even if a server does not know the script yet.
      for (const batch of taskBatches(entries, { bytesOf, countsAs })) {
        const reply = listReply(await this.#run({ keys, entries: batch, outcomes, now }));
        for (let at = 0; at < reply.length; at += 2) {
          const entry = batch[numberReply(reply[at]) - 1];
          if (entry !== undefined) outcomes[entry.index] = outcomeOf(textReply(reply[at + 1]), entry.request);
        }
        left = left.slice(batch.length);
      }
    } catch (error) {
      // Batches after a failed one are not tried: they would overtake what the caller may send again.
      for (const { index } of left) outcomes[index] = asAsynqError(error);
    }
  }

  async #run(write: QueueWrite): Promise<RedisReply> {
    const { keys, entries, now } = write;
    if (entries.every(isLean)) {
      const args: RedisArgument[] = [keys.taskPrefix, pendingSince(now), globalKeys.wakeChannel, keys.queue];
      for (const { request } of entries) args.push(request.message.id);
      for (const { message } of entries) args.push(message);
      return await this.deps.runner.run(enqueuePendingScript, [keys.pending], args);
    }
    const args = [...storeArguments(keys, now)];
    for (const { request, message } of entries) args.push(...taskArguments(keys, request, message));
    const { pending, scheduled, retry, due, groups } = keys;
    return await this.deps.runner.run(enqueueScript, [pending, scheduled, retry, due, groups], args);
  }
}

function isLean({ request }: Entry): boolean {
  return request.place.kind === 'pending' && request.uniqueForSeconds === 0;
}

function bytesOf({ message }: Entry): number {
  return message.length;
}

/** Storing a lock or a group takes several commands more. */
function countsAs({ request }: Entry): number {
  return request.place.kind === 'aggregating' || request.uniqueForSeconds > 0 ? 2 : 1;
}

/** Returns the first arguments of every script that stores tasks of all kinds: `ARGV[1]` to `ARGV[7]`. */
export function storeArguments(keys: QueueKeys, now: EpochMs): readonly RedisArgument[] {
  return [
    keys.taskPrefix,
    keys.groupPrefix,
    Math.floor(now),
    pendingSince(now),
    globalKeys.wakeChannel,
    globalKeys.dueChannel,
    keys.queue,
  ];
}

/** Returns the seven arguments of one task for such a script, with its encoded message. */
export function taskArguments(keys: QueueKeys, request: EnqueueRequest, message: Buffer): readonly RedisArgument[] {
  const { place, uniqueForSeconds } = request;
  const { id, uniqueKey, group } = request.message;
  const lock = uniqueForSeconds > 0 ? lockKey(keys, uniqueKey) : '';
  const dueAt = place.kind === 'scheduled' ? place.processAt : '';
  return [id, message, place.kind, dueAt, group, lock, uniqueForSeconds];
}

const refusals: Readonly<Record<string, StoreOutcome>> = {
  DUPLICATE: 'duplicate',
  HELD: 'held',
  CONFLICT: 'id-conflict',
};

function outcomeOf(word: string, request: EnqueueRequest): EnqueueOutcome {
  const refusal = refusals[word];
  return refusal === undefined ? wrongPlaceError(request) : enqueueOutcome(refusal, request);
}

/** Returns the error for a task that a script did not store because of a key of a wrong type, which it reported. */
export function wrongPlaceError({ message, place }: EnqueueRequest): BrokerCommandError {
  const { id, queue, group } = message;
  const keys = queueKeys(queue);
  const its = {
    pending: [keys.pending],
    scheduled: [keys.scheduled],
    aggregating: [keys.groups, groupKey(keys, group)],
  };
  return new BrokerCommandError(
    `Task "${id}" was not stored in queue "${queue}": a key of a wrong type is where it belongs, ` +
      its[place.kind].map((key) => `"${key}"`).join(' or '),
  );
}
