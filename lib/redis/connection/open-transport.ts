import { Duplex } from 'node:stream';
import { ClientTransport } from './client-transport.js';
import type { CommandTransport, CommandTransportDeps } from './command-transport.js';
import type { RedisNodeClient } from './redis-client.js';
import { SocketTransport } from './socket-transport.js';

/** Opens transports for the clients of one connection, over their sockets where possible. */
export class TransportOpener {
  #hasWarned = false;

  constructor(private readonly warn: (message: string) => void) {}

  /** Returns a transport for a connected client of our own; warns once if it is a slow one. */
  open(client: RedisNodeClient, deps: Omit<CommandTransportDeps, 'client'>): CommandTransport {
    const stream = socketOf(client);
    if (stream !== undefined) return new SocketTransport(client, { ...deps, stream });
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      this.warn(
        `The socket of the ioredis client cannot be used directly: its ioredis version was not tested, or something ` +
          `else reads from the socket. Commands to Redis at ${deps.place} go through the client, which is slower`,
      );
    }
    return new ClientTransport({ ...deps, client });
  }
}

/**
 * Returns the socket of a connected client if it looks as expected: only the client reads from it, and the client
 * awaits no reply.
 */
function socketOf({ stream, commandQueue }: RedisNodeClient): Duplex | undefined {
  if (commandQueue?.length !== 0 || !(stream instanceof Duplex)) return undefined;
  // A socket that was closed in the meantime has no reader; the client reports that it is closed.
  return !stream.writable || stream.listenerCount('data') === 1 ? stream : undefined;
}
