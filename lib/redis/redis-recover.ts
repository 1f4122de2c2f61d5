import { maxTasksPerCall } from '../model/broker/call-limits.js';
import { asAsynqError } from '../model/errors/asynq-error.js';
import type { Disorder, ExpiredLease, ExpiredLeases, Recovery } from '../model/broker/maintenance.contract.js';
import type { CancelOutcome } from '../model/broker/presence.contract.js';
import type { SettleOutcome, UndecodableTask } from '../model/broker/work.contract.js';
import { BrokerCommandError } from '../model/errors/broker-errors.js';
import { decodeTaskMessage } from '../model/task/task-message.codec.js';
import type { UndecodableRecord } from '../model/task/undecodable-record.js';
import { type EpochMs, fromEpochSeconds, toEpochSeconds } from '../model/time/duration.js';
import type { KeyReader } from './key-reader.js';
import { queueKeys } from './keys.js';
import { readOwner } from './task-owner.js';
import type { RedisHeal } from './redis-heal.js';
import type { RedisSettle } from './redis-settle.js';
import { bytesReply, listReply, numberReply, textReply } from './connection/reply.js';
import type { RedisReply } from './connection/redis-connection.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Lists tasks that lost their worker (P-64). */
export const listExpiredLeasesScript = defineScript({
  file: 'list-expired-leases.lua',
  keys: ['lease', 'active'],
  args: ['taskPrefix', 'expiredBy', 'limit'],
  replies: [],
});

/** Which leases to list. */
export interface ExpiredLeasesRequest {
  readonly queue: string;
  readonly expiredBy: EpochMs;
  readonly now: EpochMs;
  readonly limit: number;
}

/** A record that does not decode, with its lease. */
interface FaultyLease {
  readonly record: UndecodableRecord;
  readonly leaseSeconds: number;
}

/** Records that do not decode, to be archived. */
interface FaultyLeases {
  readonly queue: string;
  readonly faulty: readonly FaultyLease[];
  readonly now: EpochMs;
}

/**
 * Takes back tasks from workers that are gone.
 *
 * A task that is leased but not in `active` (for example because an eviction removed the list) could never be settled
 * and would block all others forever. Its lease has expired, so waiting would bring no more information: it is healed
 * at once.
 */
export class RedisRecover {
  constructor(
    private readonly deps: {
      readonly runner: ScriptRunner;
      readonly reader: KeyReader;
      readonly settle: RedisSettle;
      readonly heal: RedisHeal;
    },
  ) {}

  /** Lists tasks whose lease has expired, oldest first. */
  async listExpiredLeases(request: ExpiredLeasesRequest): Promise<ExpiredLeases> {
    const { queue, now } = request;
    const keys = queueKeys(queue);
    const firstEnd = await this.deps.reader.firstScore(keys.lease);
    if (firstEnd > toEpochSeconds(request.expiredBy)) {
      const nextEndsAt = firstEnd === Number.POSITIVE_INFINITY ? undefined : fromEpochSeconds(firstEnd);
      return { leases: [], undecodable: [], nextEndsAt };
    }
    const [next, ...rows] = listReply(
      await this.deps.runner.run(
        listExpiredLeasesScript,
        [keys.lease, keys.active],
        [keys.taskPrefix, toEpochSeconds(request.expiredBy), Math.min(request.limit, maxTasksPerCall)],
      ),
    );
    const leases: ExpiredLease[] = [];
    const faulty: FaultyLease[] = [];
    for (let at = 0; at < rows.length; at += 5) {
      const taskId = textReply(rows[at]);
      const leaseSeconds = numberReply(rows[at + 1]);
      const decoded = decodeTaskMessage(bytesReply(rows[at + 2]));
      if (decoded.ok) {
        const owner = readOwner(optionalText(rows[at + 3]), decoded.message);
        const canceled = optionalText(rows[at + 4]) as CancelOutcome | undefined;
        // A record that was copied by hand names another task; only the id it is stored under finds it again.
        leases.push({ message: { ...decoded.message, id: taskId, queue }, leaseSeconds, owner, canceled });
      } else {
        faulty.push({ record: { queue, taskId, decoded }, leaseSeconds });
      }
    }
    return {
      leases,
      undecodable: await this.#archiveIfPossible({ queue, faulty, now }),
      nextEndsAt: textReply(next) === '' ? undefined : fromEpochSeconds(numberReply(next)),
    };
  }

  /** Settles tasks, each only under its listed lease. */
  async recover(request: {
    readonly queue: string;
    readonly recoveries: readonly Recovery[];
    readonly now: EpochMs;
  }): Promise<readonly SettleOutcome[]> {
    const { queue, recoveries, now } = request;
    const outcomes = [...(await this.#settle(request))];
    try {
      const refused = recoveries.filter((_, at) => outcomes[at] === 'not-active');
      const healed = await this.#heal({ queue, taskIds: refused.map(({ settlement }) => settlement.message.id), now });
      const again = recoveries.filter(({ settlement }) => healed.has(settlement.message.id));
      const settled = await this.#settle({ queue, recoveries: again, now });
      again.forEach((recovery, at) => {
        outcomes[recoveries.indexOf(recovery)] = settled[at] ?? 'not-active';
      });
    } catch (error) {
      // Tasks that could not be read again are retried with the next listing.
      return outcomes.map((outcome) => (outcome === 'not-active' ? asAsynqError(error) : outcome));
    }
    return outcomes;
  }

  async #settle(request: {
    readonly queue: string;
    readonly recoveries: readonly Recovery[];
    readonly now: EpochMs;
  }): Promise<readonly SettleOutcome[]> {
    const { queue, recoveries, now } = request;
    return await this.deps.settle.settle({
      queue,
      settlements: recoveries.map(({ settlement }) => settlement),
      claims: { kind: 'listed', leaseSeconds: recoveries.map(({ leaseSeconds }) => leaseSeconds) },
      now,
    });
  }

  async #archiveIfPossible(request: FaultyLeases): Promise<readonly UndecodableTask[]> {
    try {
      return await this.#archive(request);
    } catch (error) {
      // A key of a wrong type, which has been reported, must not keep the other tasks from being recovered.
      if (error instanceof BrokerCommandError) return [];
      throw error;
    }
  }

  async #archive(request: FaultyLeases): Promise<readonly UndecodableTask[]> {
    const archive = async (faulty: readonly FaultyLease[]): Promise<readonly UndecodableTask[]> =>
      await this.deps.settle.archiveUndecodable({
        queue: request.queue,
        records: faulty.map(({ record }) => record),
        claims: { kind: 'listed', leaseSeconds: faulty.map(({ leaseSeconds }) => leaseSeconds) },
        now: request.now,
      });
    const { faulty } = request;
    if (faulty.length === 0) return [];
    const archived = await archive(faulty);
    const done = new Set(archived.map(({ taskId }) => taskId));
    const refused = faulty.filter(({ record }) => !done.has(record.taskId));
    const healed = await this.#heal({ ...request, taskIds: refused.map(({ record }) => record.taskId) });
    return [...archived, ...(await archive(refused.filter(({ record }) => healed.has(record.taskId))))];
  }

  /** Heals tasks that are leased but not in `active`; returns which were. */
  async #heal(request: {
    readonly queue: string;
    readonly taskIds: readonly string[];
    readonly now: EpochMs;
  }): Promise<ReadonlySet<string>> {
    const { queue, taskIds, now } = request;
    const suspicions = taskIds.map((subject): Disorder => ({ queue, kind: 'lease-without-active', subject }));
    const { healed } = await this.deps.heal.heal(suspicions, now);
    return new Set(healed.map(({ subject }) => subject));
  }
}

function optionalText(reply: RedisReply | undefined): string | undefined {
  return reply === null || reply === undefined ? undefined : textReply(reply);
}
