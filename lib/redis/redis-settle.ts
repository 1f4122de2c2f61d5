import { addToGroup } from '../model/broker/group-by.js';
import type { Settlement, SettleOutcome, UndecodableTask } from '../model/broker/work.contract.js';
import { asAsynqError, AsynqError } from '../model/errors/asynq-error.js';
import { BrokerUnavailableError } from '../model/errors/broker-errors.js';
import { encodeTaskMessage } from '../model/task/task-message.codec.js';
import { messageOfUndecodable, type UndecodableRecord } from '../model/task/undecodable-record.js';
import type { EpochMs } from '../model/time/duration.js';
import { type QueueKeys, queueKeys } from './keys.js';
import { type LeaseClaims, runFenced } from './lease-fence.js';
import type { ScriptRunner } from './script-runner.js';
import { settleArguments, settleCall, type SettleEntry } from './settle-scripts.js';
import { taskBatches } from './task-batches.js';

/** Outcomes of runs to write. */
export interface RedisSettleRequest {
  readonly queue: string;
  readonly settlements: readonly Settlement[];
  /** The lease that each task must have. */
  readonly claims: LeaseClaims;
  readonly now: EpochMs;
}

/** An entry and the index of its outcome. */
interface Placed extends SettleEntry {
  readonly index: number;
}

interface AllOutcomes {
  readonly outcomes: SettleOutcome[];
  readonly outcome: SettleOutcome;
}

/** Writes the outcomes of runs (P-67 to P-91). A task that is not both active and leased is not changed. */
export class RedisSettle {
  constructor(private readonly runner: ScriptRunner) {}

  /** Settles tasks of one queue, each in one atomic step. Never rejects: an error is the task's outcome. */
  async settle(request: RedisSettleRequest): Promise<readonly SettleOutcome[]> {
    const { settlements, claims, now } = request;
    const keys = queueKeys(request.queue);
    const outcomes: SettleOutcome[] = settlements.map(() => 'settled');
    const byKind = new Map<Settlement['kind'], Placed[]>();
    settlements.forEach((settlement, index) => {
      try {
        const entry = { index, settlement, message: messageBytes(settlement) };
        addToGroup(byKind, settlement.kind, entry);
      } catch (error) {
        outcomes[index] = asAsynqError(error);
      }
    });
    await Promise.all(
      [...byKind].map(async ([kind, entries]) => {
        const batches = taskBatches(entries, { bytesOf: ({ message }) => message.length });
        // The task that must run first is pushed last.
        let fault: AsynqError | undefined;
        for (const batch of kind === 'requeue' ? batches.toReversed() : batches) {
          // Each would wait for the connection as long as the one before.
          if (fault instanceof BrokerUnavailableError) setAll(batch, { outcomes, outcome: fault });
          else fault = await this.#settleBatch({ kind, keys, batch, claims, now, outcomes });
        }
      }),
    );
    return outcomes;
  }

  /**
   * Archives running tasks whose records do not decode: their bytes are kept next to a record that decodes. Returns
   * which were still running under the claimed leases.
   */
  async archiveUndecodable(request: {
    readonly queue: string;
    readonly records: readonly UndecodableRecord[];
    readonly claims: LeaseClaims;
    readonly now: EpochMs;
  }): Promise<readonly UndecodableTask[]> {
    const { queue, claims, now } = request;
    const call = settleCall('archive', queueKeys(queue), now);
    const archived: UndecodableTask[] = [];
    const placed = request.records.map((record, index) => ({
      index,
      record,
      message: encodeTaskMessage(messageOfUndecodable(record, now)),
    }));
    for (const batch of taskBatches(placed, { bytesOf: ({ message }) => message.length })) {
      const refused = await runFenced(this.runner, {
        call,
        claims,
        indexes: batch.map(({ index }) => index),
        ids: batch.map(({ record }) => record.taskId),
        args: batch.flatMap(({ record, message }) => [message, record.decoded.reason]),
        now,
      });
      batch.forEach(({ record: { taskId, decoded } }, at) => {
        if (!refused.includes(at)) archived.push({ queue, taskId, reason: decoded.reason });
      });
    }
    return archived;
  }

  async #settleBatch(request: {
    readonly kind: Settlement['kind'];
    readonly keys: QueueKeys;
    readonly batch: readonly Placed[];
    readonly claims: LeaseClaims;
    readonly now: EpochMs;
    readonly outcomes: SettleOutcome[];
  }): Promise<AsynqError | undefined> {
    const { kind, keys, batch, claims, now, outcomes } = request;
    try {
      const refused = await runFenced(this.runner, {
        call: settleCall(kind, keys, now),
        claims,
        indexes: batch.map(({ index }) => index),
        ids: batch.map(({ settlement }) => settlement.message.id),
        args: settleArguments(keys, batch),
        now,
      });
      for (const position of refused) {
        const entry = batch[position];
        if (entry !== undefined) outcomes[entry.index] = 'not-active';
      }
      return undefined;
    } catch (error) {
      const fault = asAsynqError(error);
      setAll(batch, { outcomes, outcome: fault });
      return fault;
    }
  }
}

function setAll(batch: readonly Placed[], { outcomes, outcome }: AllOutcomes): void {
  for (const { index } of batch) outcomes[index] = outcome;
}

const noBytes = Buffer.alloc(0);

function messageBytes(settlement: Settlement): Buffer {
  return settlement.kind === 'done' || settlement.kind === 'delete' ? noBytes : encodeTaskMessage(settlement.message);
}
