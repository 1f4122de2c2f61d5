import { type StorageNotices, type StoredType } from '../model/broker/storage-notice.js';
import type { DroppedFrom } from '../model/broker/storage-notice.js';
import { BrokerCommandError } from '../model/errors/broker-errors.js';
import type { RedisArgument, RedisConnection, RedisReply } from './connection/redis-connection.js';
import { numberReply, textReply } from './connection/reply.js';
import { queueOfKey } from './keys.js';
import type { Script } from './script.js';

/**
 * Runs scripts by their hash, and sends the text if the server does not know the hash (restart, failover, flush).
 * Passes on what they found and worked around (include/notices.lua).
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
      // Only a script with notices replies with an array in an array.
      if (Array.isArray(reply) && Array.isArray(reply[0])) return this.#tell(reply, keys[0] ?? '');
      return reply;
    } catch (error) {
      if (!isWrongType(error)) throw error;
      const wrong = await this.#wrongKeys(keys.map((key, at) => ({ key, type: script.keyTypes[at] })));
      throw wrong.length === 0 ? error : wrongTypeError(wrong, error);
    }
  }

  /**
   * Runs a command on one key; if the key has a wrong type, that is reported and `otherwise` is returned.
   *
   * @throws whatever else `command` rejects with.
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

  /** Reports the notices in a reply, and returns the actual reply. */
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

  /** Returns which of these keys have a wrong type; each is reported. */
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
  const keys = wrong.map(({ key, expected, found }) => `"${key}" is a ${found} but must be a ${expected}`);
  return new BrokerCommandError(`Keys have a wrong type: ${keys.join(', ')}`, { cause });
}

function isWrongType(error: unknown): boolean {
  return isReply(error, 'WRONGTYPE');
}

function isReply(error: unknown, code: string): boolean {
  return (
    error instanceof BrokerCommandError &&
    error.cause instanceof Error &&
    // Some servers wrap an error inside a script with additional text.
    (error.cause.message.startsWith(code) || (code === 'WRONGTYPE' && error.cause.message.includes(code)))
  );
}
