import { BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import type { RedisConnection } from '../../lib/redis/connection/redis-connection.js';

/** A connection of a process that dies, and whether it has died. */
export interface MortalConnection {
  readonly connection: RedisConnection;
  readonly hasDied: () => boolean;
}

/** Wraps a connection so that its process dies after so many commands: later ones never reach the server. */
export function mortalConnection(connection: RedisConnection, commands: number): MortalConnection {
  let sent = 0;
  const send: RedisConnection['send'] = async (command, args) => {
    sent += 1;
    if (sent > commands) throw new BrokerUnavailableError('The process died');
    return await connection.send(command, args);
  };
  const mortal = new Proxy(connection, {
    get: (target, name) => {
      if (name === 'send') return send;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { connection: mortal, hasDied: () => sent > commands };
}
