import type { Disorder } from '../model/broker/maintenance.contract.js';
import { listReply, numberReply } from './connection/reply.js';
import { queueKeys } from './keys.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Frees unique locks of tasks that are gone. */
export const freeLocksScript = defineScript({
  file: 'free-locks.lua',
  keys: ['groups', 'aggregationSets', '...locks'],
  args: ['taskPrefix'],
  replies: [],
});

/** Locks that one script call looks at. */
const callSize = 500;

/** Unique locks that outlived their tasks. */
export class RedisLocks {
  constructor(private readonly deps: { readonly runner: ScriptRunner }) {}

  /** Frees those of a queue that nobody holds; a lock is given by what follows the queue's prefix. */
  async free(queue: string, names: readonly string[]): Promise<readonly Disorder[]> {
    const { groups, aggregationSets, lockPrefix, taskPrefix } = queueKeys(queue);
    // The lock of a queue `a` may be named like the lock of a queue `a}:unique:b{`: nothing in it tells whose it is.
    const locks = names.filter((name) => !name.includes('}:unique:')).map((name) => lockPrefix + name);
    const freed: Disorder[] = [];
    for (let start = 0; start < locks.length; start += callSize) {
      const some = locks.slice(start, start + callSize);
      const positions = await this.deps.runner.run(freeLocksScript, [groups, aggregationSets, ...some], [taskPrefix]);
      for (const position of listReply(positions)) {
        freed.push({ queue, kind: 'lock-without-task', subject: some[numberReply(position) - 1] ?? '' });
      }
    }
    return freed;
  }
}
