import type { RedisConnection } from './connection/redis-connection.js';
import { listReply, textReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';

/** Members that one command reads, about. */
const scanCount = 1_000;

/**
 * Reads a set of texts piece by piece, so that a large one holds up nobody. Members that come or go meanwhile may be
 * missing. Of a key of another type, which is told, nothing is read.
 */
export async function scanSet(
  { connection, runner }: { readonly connection: RedisConnection; readonly runner: ScriptRunner },
  key: string,
): Promise<readonly string[]> {
  const command = async (): Promise<readonly string[]> => {
    // A server may name a member twice.
    const members = new Set<string>();
    let cursor = '0';
    do {
      const [next, page] = listReply(await connection.send('sscan', [key, cursor, 'COUNT', scanCount]));
      for (const member of listReply(page)) members.add(textReply(member));
      cursor = textReply(next);
    } while (cursor !== '0');
    return [...members];
  };
  return await runner.withKey({ key, type: 'set' }, { command, otherwise: [] });
}
