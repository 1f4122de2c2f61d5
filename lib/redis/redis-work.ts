import { maxTasksPerCall } from '../model/broker/call-limits.js';
import {
  type DequeueRequest,
  type DequeueResult,
  type ExtendLeasesRequest,
  type LeaseNews,
  maxLookedAt,
  maxTypesNamed,
  oldestLookedAt,
  type RunClaim,
  type SettleOutcome,
  type SettleRequest,
  type TypeFilter,
  type WaitRequest,
  type WorkContract,
  type WriteResultRequest,
} from '../model/broker/work.contract.js';
import type { CancelOutcome } from '../model/broker/presence.contract.js';
import { BrokerCommandError } from '../model/errors/broker-errors.js';
import { decodeTaskMessage } from '../model/task/task-message.codec.js';
import type { TaskMessage } from '../model/task/task-message.js';
import type { TaskPattern } from '../model/task/task-pattern.js';
import type { UndecodableRecord } from '../model/task/undecodable-record.js';
import { toEpochSeconds } from '../model/time/duration.js';
import type { RedisArgument, RedisConnection, RedisReply } from './connection/redis-connection.js';
import { queueKeys, taskKey } from './keys.js';
import { writeOwner } from './task-owner.js';
import { RedisSettle } from './redis-settle.js';
import { bytesReply, listReply, numberReply, textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';
import { asBuffer } from './settle-scripts.js';

/** Takes the oldest pending tasks and leases them to a server (P-55). */
export const dequeueScript = defineScript({
  file: 'dequeue.lua',
  keys: ['pending', 'paused', 'active', 'lease'],
  args: ['taskPrefix', 'leaseUntil', 'limit', 'owner'],
  replies: ['SOME', 'DRAINED', 'PAUSED'],
});

/** Takes tasks of some types; leaves the others in place. */
export const dequeueKnownScript = defineScript({
  file: 'dequeue-known.lua',
  keys: ['pending', 'paused', 'active', 'lease'],
  args: [
    'taskPrefix',
    'leaseUntil',
    'limit',
    'owner',
    'lookedUpTo',
    'oldest',
    'window',
    'maxTypes',
    'exact',
    'prefixes',
    '...types',
  ],
  replies: ['SOME', 'DRAINED', 'OTHERS', 'PAUSED'],
});

/** Extends the leases of running tasks, and returns which were canceled (P-61). */
export const extendLeasesScript = defineScript({
  file: 'extend-leases.lua',
  keys: ['lease'],
  args: ['taskPrefix', 'leaseUntil', '...held'],
  replies: ['LOST'],
});

/** Stores a handler's result (P-74). */
export const writeResultScript = defineScript({
  file: 'write-result.lua',
  keys: ['task', 'lease'],
  args: ['taskId', 'note', 'leaseAsked', 'result'],
  replies: ['WRITTEN', 'NOT_ACTIVE'],
});

/** Queues that one command looks at. */
const maxLookedFor = 100;

const leftWords: Readonly<Record<string, DequeueResult['left']>> = {
  DRAINED: 'drained',
  OTHERS: 'others',
  PAUSED: 'paused',
};

/** The work contract on Redis. */
export class RedisWork implements WorkContract {
  readonly #settle: RedisSettle;
  /** The server has refused a command with keys of several queues. */
  #keysAreApart = false;

  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {
    this.#settle = new RedisSettle(deps.runner);
  }

  async dequeue(request: DequeueRequest): Promise<DequeueResult> {
    const { queue, limit, now, leaseUntil, owner, filter } = request;
    const { pending, paused, active, lease, taskPrefix } = queueKeys(queue);
    const keys = [pending, paused, active, lease];
    const note = writeOwner({ owner, takenAt: now });
    const args: RedisArgument[] = [taskPrefix, toEpochSeconds(leaseUntil), Math.min(limit, maxTasksPerCall), note];
    if (filter === undefined) {
      const reply = listReply(await this.deps.runner.run(dequeueScript, keys, args));
      return await this.#taken(reply, { request, first: 1 });
    }
    const reply = listReply(
      await this.deps.runner.run(dequeueKnownScript, keys, [...args, ...filterArguments(filter)]),
    );
    const first = 3 + numberReply(reply[2]);
    const result = await this.#taken(reply, { request, first });
    const lookedUpTo = textReply(reply[1]);
    if (lookedUpTo === '') return result;
    return { ...result, others: { types: reply.slice(3, first).map(textReply), lookedUpTo } };
  }

  async extendLeases({ queue, owner, leases, leaseUntil }: ExtendLeasesRequest): Promise<LeaseNews> {
    const keys = queueKeys(queue);
    const lost: string[] = [];
    const canceled: { taskId: string; outcome: CancelOutcome }[] = [];
    for (let start = 0; start < leases.length; start += maxTasksPerCall) {
      const args: RedisArgument[] = [keys.taskPrefix, toEpochSeconds(leaseUntil)];
      for (const { taskId, until, takenAt } of leases.slice(start, start + maxTasksPerCall))
        args.push(taskId, toEpochSeconds(until), writeOwner({ owner, takenAt }));
      const news = listReply(await this.deps.runner.run(extendLeasesScript, [keys.lease], args)).map(textReply);
      for (let at = 0; at < news.length; at += 2) {
        const taskId = news[at] as string;
        const word = news[at + 1];
        if (word === 'LOST') lost.push(taskId);
        else canceled.push({ taskId, outcome: word as CancelOutcome });
      }
    }
    return { lost, canceled };
  }

  async settle({ queue, owner, settlements, now }: SettleRequest): Promise<readonly SettleOutcome[]> {
    return await this.#settle.settle({
      queue,
      settlements: settlements.map(({ settlement }) => settlement),
      claims: { kind: 'held', owner, runs: settlements },
      now,
    });
  }

  async writeResult(request: WriteResultRequest): Promise<boolean> {
    const { queue, taskId, owner, takenAt, leaseAsked, result } = request;
    const keys = queueKeys(queue);
    const args = [taskId, writeOwner({ owner, takenAt }), toEpochSeconds(leaseAsked), asBuffer(result)];
    const reply = await this.deps.runner.run(writeResultScript, [taskKey(keys, taskId), keys.lease], args);
    return textReply(reply) === 'WRITTEN';
  }

  async waitForTask({ queue, timeout, signal }: WaitRequest): Promise<'task' | 'none' | 'busy'> {
    const { pending } = queueKeys(queue);
    try {
      const reply = await this.deps.connection.sendBlocking({
        connectionKey: queue,
        // From the tail to the tail: waits until there is a task and leaves it in place.
        command: 'blmove',
        args: [pending, pending, 'RIGHT', 'RIGHT', timeout / 1_000],
        timeout,
        signal,
      });
      if (reply === 'busy') return 'busy';
      return reply === 'aborted' || reply === null ? 'none' : 'task';
    } catch (error) {
      // Unknown, forbidden, out of memory: a server on which we cannot wait can still be polled.
      if (error instanceof BrokerCommandError) return 'busy';
      throw error;
    }
  }

  async findWithTasks(queues: readonly string[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (let start = 0; start < queues.length; start += maxLookedFor) {
      const some = queues.slice(start, start + maxLookedFor);
      if (await this.#mayHaveTasks(some)) found.push(...(await this.#withTasks(some)));
    }
    return found;
  }

  async isPaused(queue: string): Promise<boolean> {
    return numberReply(await this.deps.connection.send('exists', [queueKeys(queue).paused])) === 1;
  }

  /** Whether any of the queues has tasks, or that cannot be told with one command. */
  async #mayHaveTasks(queues: readonly string[]): Promise<boolean> {
    if (this.#keysAreApart) return true;
    try {
      return (await this.#countPending(queues)) > 0;
    } catch (error) {
      // On a cluster, or behind a proxy for one, a command takes the keys of one slot.
      if (!(error instanceof BrokerCommandError)) throw error;
      this.#keysAreApart = true;
      return true;
    }
  }

  async #withTasks(queues: readonly string[]): Promise<readonly string[]> {
    const answers = await Promise.allSettled(queues.map(async (queue) => await this.#mayHaveTask(queue)));
    // While a node of a cluster is down, the queues of the others are found.
    const failed = answers.filter((answer) => answer.status === 'rejected');
    if (failed[0] !== undefined && failed.length === queues.length) throw failed[0].reason;
    return queues.filter((_, at) => {
      const answer = answers[at];
      return answer?.status === 'fulfilled' && answer.value;
    });
  }

  /** One queue that must not be looked at leaves the others alone: fetching from it says what is wrong. */
  async #mayHaveTask(queue: string): Promise<boolean> {
    try {
      return (await this.#countPending([queue])) > 0;
    } catch (error) {
      if (!(error instanceof BrokerCommandError)) throw error;
      return true;
    }
  }

  async #countPending(queues: readonly string[]): Promise<number> {
    const keys = queues.map((queue) => queueKeys(queue).pending);
    return numberReply(await this.deps.connection.send('exists', keys));
  }

  async #taken(
    reply: readonly RedisReply[],
    { request, first }: { readonly request: DequeueRequest; readonly first: number },
  ): Promise<DequeueResult> {
    const { queue } = request;
    const messages: TaskMessage[] = [];
    const records: UndecodableRecord[] = [];
    for (let at = first; at < reply.length; at += 2) {
      const taskId = textReply(reply[at]);
      const decoded = decodeTaskMessage(bytesReply(reply[at + 1]));
      if (!decoded.ok) records.push({ queue, taskId, decoded });
      else messages.push(inItsPlace(decoded.message, { queue, taskId }));
    }
    return {
      messages,
      undecodable: records.length === 0 ? [] : await this.#archive(request, records),
      left: leftWords[textReply(reply[0])] ?? 'some',
    };
  }

  async #archive(
    { queue, owner, leaseUntil, now }: DequeueRequest,
    records: readonly UndecodableRecord[],
  ): Promise<DequeueResult['undecodable']> {
    const run: RunClaim = { takenAt: now, leaseUntil, leaseAsked: leaseUntil };
    try {
      const claims = { kind: 'held', owner, runs: records.map(() => run) } as const;
      return await this.#settle.archiveUndecodable({ queue, records, claims, now });
    } catch {
      // They stay active without anybody working on them, and the recoverer archives them when their leases expire.
      // Rejecting here would leave the good tasks of this reply to the same fate.
      return [];
    }
  }
}

function filterArguments({ patterns, except, lookedUpTo }: TypeFilter): RedisArgument[] {
  const types = (match: TaskPattern['match']): string[] =>
    patterns.flatMap((pattern) => (pattern.match === match ? [pattern.type] : []));
  const exact = types('exact');
  const prefixes = types('prefix');
  const limits = [oldestLookedAt, maxLookedAt, maxTypesNamed];
  return [lookedUpTo ?? '', ...limits, exact.length, prefixes.length, ...exact, ...prefixes, ...except];
}

/** Corrects a record that was copied or renamed by hand: only the name it is stored under finds it. */
function inItsPlace(message: TaskMessage, place: { readonly queue: string; readonly taskId: string }): TaskMessage {
  if (message.id === place.taskId && message.queue === place.queue) return message;
  return { ...message, id: place.taskId, queue: place.queue };
}
