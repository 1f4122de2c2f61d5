import { BrokerCommandError } from '../model/errors/broker-errors.js';
import type { RedisArgument, RedisConnection, RedisReply } from './connection/redis-connection.js';
import type { Script } from './script.js';

/** Runs scripts by their hash, and sends the text when the server does not know the hash (restart, failover, flush). */
export class ScriptRunner {
  constructor(private readonly connection: RedisConnection) {}

  /**
   * Runs one script. Strings in the reply are bytes.
   *
   * @throws BrokerUnavailableError, BrokerCommandError as {@link RedisConnection.send} does.
   */
  async run(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<RedisReply> {
    try {
      return await this.connection.send('evalsha', [script.sha, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      // A server that does not know the hash has run nothing, so sending the text cannot do anything twice.
      return await this.connection.send('eval', [script.source, keys.length, ...keys, ...args]);
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  return (
    error instanceof BrokerCommandError && error.cause instanceof Error && error.cause.message.startsWith('NOSCRIPT')
  );
}
