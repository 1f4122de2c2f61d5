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

/** How many locks one script call checks. */
const callSize = 500;

/** Frees unique locks that outlived their tasks. */
export class RedisLocks {
  constructor(private readonly deps: { readonly runner: ScriptRunner }) {}

  /** Frees a queue's locks that nobody holds; a lock is given by the part after the queue's prefix. */
  async free(queue: string, names: readonly string[]): Promise<readonly Disorder[]> {
    const { groups, aggregationSets, lockPrefix, taskPrefix } = queueKeys(queue);
    // A lock of queue `a` may have the same name as a lock of queue `a}:unique:b{`: nothing in it says whose it is.
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
