import { type StorageNotices, type StoredType } from '../model/broker/storage-notice.js';
import type { DroppedFrom } from '../model/broker/storage-notice.js';
import { BrokerCommandError } from '../model/errors/broker-errors.js';
import type { RedisArgument, RedisConnection, RedisReply } from './connection/redis-connection.js';
import { numberReply, textReply } from './connection/reply.js';
import { queueOfKey } from './keys.js';
import type { Script } from './script.js';

/**
 * Runs scripts by their hash, and sends the text when the server does not know the hash (restart, failover, flush).
 * Passes on what they met and worked around (include/notices.lua).
 */
export class ScriptRunner {
  constructor(
    private readonly connection: RedisConnection,
    private readonly notices: StorageNotices,
  ) {}

  /**
   * Runs one script. Strings in the reply are bytes.
   *
   * @throws BrokerUnavailableError, BrokerCommandError as {@link RedisConnection.send} does.
   */
  async run(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<RedisReply> {
    try {
      const reply = await this.#call(script, keys, args);
      // No script answers with an array in an array but one that has something to tell besides.
      if (Array.isArray(reply) && Array.isArray(reply[0])) return this.#tell(reply, keys[0] ?? '');
      return reply;
    } catch (error) {
      if (!isWrongType(error)) throw error;
      const wrong = await this.#wrongKeys(keys.map((key, at) => ({ key, type: script.keyTypes[at] })));
      throw wrong.length === 0 ? error : wrongTypeError(wrong, error);
    }
  }

  /**
   * Does something with one key, or answers with `otherwise` when a key of another type stands there, which is told.
   *
   * @throws what `command` rejects with for any other reason.
   */
  async withKey<T, O>(
    { key, type }: { readonly key: string; readonly type: StoredType },
    { command, otherwise }: { readonly command: () => Promise<T>; readonly otherwise: O },
  ): Promise<T | O> {
    try {
      return await command();
    } catch (error) {
      if (!isWrongType(error)) throw error;
      await this.#wrongKeys([{ key, type }]);
      return otherwise;
    }
  }

  async #call(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<RedisReply> {
    try {
      return await this.connection.send('evalsha', [script.sha, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!isReply(error, 'NOSCRIPT')) throw error;
      // A server that does not know the hash has run nothing, so sending the text cannot do anything twice.
      return await this.connection.send('eval', [script.source, keys.length, ...keys, ...args]);
    }
  }

  /** Tells what a reply holds besides, and returns the reply proper. */
  #tell([notices, reply]: readonly RedisReply[], ownKey: string): RedisReply {
    const fields = notices as readonly RedisReply[];
    for (let at = 0; at < fields.length; at += 4) {
      const subject = textReply(fields[at + 1]);
      if (textReply(fields[at]) === 'DROPPED') {
        const queue = queueOfKey(ownKey) ?? '';
        this.notices.dropped(queue, { from: subject as DroppedFrom, count: numberReply(fields[at + 2]) });
      } else {
        const expected = textReply(fields[at + 2]) as StoredType;
        this.notices.wrongType({
          queue: queueOfKey(subject),
          key: subject,
          expected,
          found: textReply(fields[at + 3]),
        });
      }
    }
    return reply ?? null;
  }

  /** Which of these keys hold another type; each is told. */
  async #wrongKeys(
    keys: readonly { readonly key: string; readonly type: StoredType | undefined }[],
  ): Promise<readonly WrongKey[]> {
    const wrong: WrongKey[] = [];
    for (const { key, type } of keys) {
      const found = textReply(await this.connection.send('type', [key]));
      if (type === undefined || found === type || found === 'none') continue;
      wrong.push({ key, expected: type, found });
      this.notices.wrongType({ queue: queueOfKey(key), key, expected: type, found });
    }
    return wrong;
  }
}

interface WrongKey {
  readonly key: string;
  readonly expected: StoredType;
  readonly found: string;
}

function wrongTypeError(wrong: readonly WrongKey[], cause: unknown): BrokerCommandError {
  const keys = wrong.map(({ key, expected, found }) => `"${key}" is a ${found} and must be a ${expected}`);
  return new BrokerCommandError(`Keys hold a wrong type: ${keys.join(', ')}`, { cause });
}

function isWrongType(error: unknown): boolean {
  return isReply(error, 'WRONGTYPE');
}

function isReply(error: unknown, code: string): boolean {
  return (
    error instanceof BrokerCommandError &&
    error.cause instanceof Error &&
    // An error inside of a script is told with the script's own words around it by some servers.
    (error.cause.message.startsWith(code) || (code === 'WRONGTYPE' && error.cause.message.includes(code)))
  );
}
