import { randomUUID } from 'node:crypto';
import { aggregationSetSize } from '../model/broker/call-limits.js';
import { aggregationSetFor } from '../model/broker/lifetimes.js';
import type { CollectGroupRequest, GroupCheck } from '../model/broker/maintenance.contract.js';
import { addMs, fromEpochSeconds, toEpochSeconds, toLimitSeconds } from '../model/time/duration.js';
import { listReply, textReply } from './connection/reply.js';
import type { RedisConnection } from './connection/redis-connection.js';
import { aggregationSetKey, groupKey, queueKeys } from './keys.js';
import { scanSet } from './scan-set.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Moves a ready group into an aggregation set (P-94). */
export const collectGroupScript = defineScript({
  file: 'collect-group.lua',
  keys: ['group', 'set', 'aggregationSets', 'groups'],
  args: ['name', 'now', 'deadline', 'maxSize', 'maxDelay', 'gracePeriod', 'collected', 'setSize'],
  replies: ['COLLECTED', 'MORE', 'NOT_READY'],
});

/** Members that one call of the script moves into a set. */
const collectedAtOnce = 1_000;

/** Collects the tasks of groups for aggregation. */
export class RedisGroups {
  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {}

  /** Returns the names of the groups that have waiting tasks. */
  async listGroups(queue: string): Promise<readonly string[]> {
    return await scanSet(this.deps, queueKeys(queue).groups);
  }

  /** Moves the members of a ready group into a new set. */
  async collectGroup(request: CollectGroupRequest): Promise<GroupCheck> {
    const { queue, group, now, maxSize } = request;
    const keys = queueKeys(queue);
    const setId = randomUUID();
    for (let collected = 0; ; collected += collectedAtOnce) {
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
          collected,
          aggregationSetSize(maxSize),
        ],
      );
      const [word, readyAt] = listReply(reply).map(textReply);
      if (word === 'COLLECTED') return { kind: 'collected', setId };
      if (word === 'MORE') continue;
      return { kind: 'not-ready', readyAt: readyAt === '' ? undefined : fromEpochSeconds(Number(readyAt)) };
    }
  }
}
