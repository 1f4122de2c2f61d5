import { archiveLimits } from '../model/broker/lifetimes.js';
import type { CancelResult, CancelRequest } from '../model/broker/presence.contract.js';
import { InternalError } from '../model/errors/asynq-error.js';
import { decodeTaskMessage } from '../model/task/task-message.codec.js';
import { toEpochSeconds } from '../model/time/duration.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { globalKeys, lockKey, type QueueKeys, queueKeys, taskKey } from './keys.js';
import { textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Cancels a task, whatever its state. */
export const cancelScript = defineScript({
  file: 'cancel.lua',
  keys: ['task', 'pending', 'scheduled', 'retry', 'due', 'groups', 'archived'],
  args: [
    'taskPrefix',
    'groupPrefix',
    'taskId',
    'outcome',
    'lock',
    'archivedAt',
    'cutoff',
    'size',
    'requestChannel',
    'request',
    'cancelChannel',
  ],
  replies: ['SIGNALED', 'ARCHIVED', 'DELETED', 'KEPT', 'NOT_FOUND'],
});

const results: Readonly<Record<string, CancelResult>> = {
  SIGNALED: 'signaled',
  ARCHIVED: 'archived',
  DELETED: 'deleted',
  KEPT: 'kept',
  NOT_FOUND: 'not-found',
};

/** Cancels tasks. */
export class RedisCancel {
  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {}

  /** {@link PresenceContract.cancel} */
  async cancel({ queue, taskId, outcome, now }: CancelRequest): Promise<CancelResult> {
    const keys = queueKeys(queue);
    const { pending, scheduled, retry, due, groups, archived } = keys;
    const { cutoffSeconds, size } = archiveLimits(now);
    const lock = outcome === 'delete' ? await this.#lockOf(keys, taskId) : '';
    const reply = await this.deps.runner.run(
      cancelScript,
      [taskKey(keys, taskId), pending, scheduled, retry, due, groups, archived],
      [
        keys.taskPrefix,
        keys.groupPrefix,
        taskId,
        outcome,
        lock,
        toEpochSeconds(now),
        cutoffSeconds,
        size,
        globalKeys.cancelRequestChannel,
        JSON.stringify({ queue, id: taskId, outcome }),
        globalKeys.cancelChannel,
      ],
    );
    const word = textReply(reply);
    const result = results[word];
    if (result === undefined) throw new InternalError(`cancel.lua answered ${word}`);
    return result;
  }

  /** Finds a task's lock: for a grouped task from Go only the message names it, which scripts cannot read. */
  async #lockOf(keys: QueueKeys, taskId: string): Promise<string> {
    const record = await this.deps.connection.send('hget', [taskKey(keys, taskId), 'msg']);
    const decoded = Buffer.isBuffer(record) ? decodeTaskMessage(record) : undefined;
    return lockKey(keys, decoded?.ok === true ? decoded.message.uniqueKey : '');
  }
}
