import type { Settlement, SettleOutcome, UndecodableTask } from '../model/broker/work.contract.js';
import { AsynqError, InternalError } from '../model/errors/asynq-error.js';
import { BrokerUnavailableError } from '../model/errors/broker-errors.js';
import { encodeTaskMessage } from '../model/task/task-message.codec.js';
import { messageOfUndecodable, type UndecodableRecord } from '../model/task/undecodable-record.js';
import type { EpochMs } from '../model/time/duration.js';
import type { RedisArgument } from './connection/redis-connection.js';
import { type QueueKeys, queueKeys } from './keys.js';
import { listReply, numberReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { settleArguments, settleCall, type SettleEntry } from './settle-scripts.js';
import { taskBatches } from './task-batches.js';

/** Outcomes of runs to be written. */
export interface SettleRequest {
  readonly queue: string;
  readonly settlements: readonly Settlement[];
  /**
   * The lease each task must have, by its end in Unix seconds, for who settles on behalf of a lost worker: with another
   * lease the task is somebody else's. `undefined`: any lease will do. Has no effect on kinds that only a worker asks
   * for: `done`, `complete`, `snooze`, `return`.
   */
  readonly leases: readonly number[] | undefined;
  readonly now: EpochMs;
}

/** An entry and the place of its outcome. */
interface Placed extends SettleEntry {
  readonly index: number;
}

interface AllOutcomes {
  readonly outcomes: SettleOutcome[];
  readonly outcome: SettleOutcome;
}

/** Writes how runs ended (spec/01 §5.9 to §5.13). A task that is not both active and leased is left as it is. */
export class RedisSettle {
  constructor(private readonly runner: ScriptRunner) {}

  /** Settles tasks of one queue, each in one atomic step. Never rejects: what went wrong is the task's outcome. */
  async settle(request: SettleRequest): Promise<readonly SettleOutcome[]> {
    const { settlements, leases, now } = request;
    const keys = queueKeys(request.queue);
    const outcomes: SettleOutcome[] = settlements.map(() => 'settled');
    const byKind = new Map<Settlement['kind'], Placed[]>();
    settlements.forEach((settlement, index) => {
      try {
        const entry = { index, settlement, message: messageBytes(settlement), lease: leases?.[index] ?? ('' as const) };
        const known = byKind.get(settlement.kind);
        if (known === undefined) byKind.set(settlement.kind, [entry]);
        else known.push(entry);
      } catch (error) {
        outcomes[index] = asAsynqError(error);
      }
    });
    await Promise.all(
      [...byKind].map(async ([kind, entries]) => {
        const batches = taskBatches(entries, ({ message }) => message.length);
        // The task that is to run first must be the last one pushed.
        let fault: AsynqError | undefined;
        for (const batch of kind === 'requeue' ? batches.toReversed() : batches) {
          // Each would wait for the connection as long as the one before.
          if (fault instanceof BrokerUnavailableError) setAll(batch, { outcomes, outcome: fault });
          else fault = await this.#settleBatch({ kind, keys, batch, now, outcomes });
        }
      }),
    );
    return outcomes;
  }

  /**
   * Archives running tasks whose records do not decode: their bytes are kept beside a record that decodes.
   * Answers which were still running, with the lease asked for.
   */
  async archiveUndecodable(request: {
    readonly queue: string;
    readonly records: readonly UndecodableRecord[];
    readonly leases: readonly number[] | undefined;
    readonly now: EpochMs;
  }): Promise<readonly UndecodableTask[]> {
    const { queue, leases, now } = request;
    const call = settleCall('archive', queueKeys(queue), now);
    const archived: UndecodableTask[] = [];
    const placed = request.records.map((record, index) => ({
      record,
      message: encodeTaskMessage(messageOfUndecodable(record, now)),
      lease: leases?.[index] ?? '',
    }));
    for (const batch of taskBatches(placed, ({ message }) => message.length)) {
      const ids = batch.map(({ record }) => record.taskId);
      const tasks = batch.flatMap(({ record, message, lease }) => [message, lease, record.decoded.reason]);
      const refused = await this.runner.run(call.script, call.keys, [...call.head, ids.length, ...ids, ...tasks]);
      const positions = new Set(listReply(refused).map(numberReply));
      batch.forEach(({ record: { taskId, decoded } }, at) => {
        if (!positions.has(at + 1)) archived.push({ queue, taskId, reason: decoded.reason });
      });
    }
    return archived;
  }

  async #settleBatch(request: {
    readonly kind: Settlement['kind'];
    readonly keys: QueueKeys;
    readonly batch: readonly Placed[];
    readonly now: EpochMs;
    readonly outcomes: SettleOutcome[];
  }): Promise<AsynqError | undefined> {
    const { kind, keys, batch, now, outcomes } = request;
    try {
      const call = settleCall(kind, keys, now);
      const args: RedisArgument[] = [...call.head, batch.length];
      for (const { settlement } of batch) args.push(settlement.message.id);
      args.push(...settleArguments(keys, batch));
      for (const position of listReply(await this.runner.run(call.script, call.keys, args))) {
        const refused = batch[numberReply(position) - 1];
        if (refused !== undefined) outcomes[refused.index] = 'not-active';
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

/** What an outcome can hold; anything else is a fault of ours. */
export function asAsynqError(error: unknown): AsynqError {
  if (error instanceof AsynqError) return error;
  return new InternalError('A broker call failed in a way it must not', { cause: error });
}
