import type { RedisConnection } from './connection/redis-connection.js';
import { listReply, numberReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';

/**
 * Reads one small thing of a key with one plain command, to tell whether a script has anything to do: what servers ask
 * all day. A key of another type is told, and read as empty.
 */
export class KeyReader {
  constructor(private readonly deps: { readonly connection: RedisConnection; readonly runner: ScriptRunner }) {}

  /** The lowest score of a zset; infinity when it is empty. */
  async firstScore(key: string): Promise<number> {
    const command = async (): Promise<number> => {
      const first = listReply(await this.deps.connection.send('zrange', [key, 0, 0, 'WITHSCORES']));
      return first.length === 0 ? Number.POSITIVE_INFINITY : numberReply(first[1]);
    };
    const otherwise = Number.POSITIVE_INFINITY;
    return await this.deps.runner.withKey({ key, type: 'zset' }, { command, otherwise });
  }

  /** How many members a zset has. */
  async sizeOf(key: string): Promise<number> {
    const command = async (): Promise<number> => numberReply(await this.deps.connection.send('zcard', [key]));
    return await this.deps.runner.withKey({ key, type: 'zset' }, { command, otherwise: 0 });
  }

  /** How many of the keys, all of one queue, exist. */
  async countExisting(keys: readonly string[]): Promise<number> {
    return numberReply(await this.deps.connection.send('exists', keys));
  }
}
