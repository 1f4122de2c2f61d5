import { Duplex } from 'node:stream';
import { ClientTransport } from './client-transport.js';
import type { CommandTransport, CommandTransportDeps } from './command-transport.js';
import type { RedisNodeClient } from './redis-client.js';
import { SocketTransport } from './socket-transport.js';

/** Opens the transports of one connection's own clients, over their sockets where these can be taken over. */
export class TransportOpener {
  #hasWarned = false;

  constructor(private readonly warn: (message: string) => void) {}

  /** A transport for a connected client of our own; that it is a slow one is told once. */
  open(client: RedisNodeClient, deps: Omit<CommandTransportDeps, 'client'>): CommandTransport {
    const stream = socketOf(client);
    if (stream !== undefined) return new SocketTransport(client, { ...deps, stream });
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      this.warn(
        `The socket of the ioredis client cannot be used directly: it is not the ioredis that was tested, or something ` +
          `else reads from the socket. Commands to Redis at ${deps.place} go through the client, which is slower`,
      );
    }
    return new ClientTransport({ ...deps, client });
  }
}

/**
 * The socket of a connected client, when it is as it is known to be: nobody but the client reads from it, and the client
 * waits for no reply.
 */
function socketOf({ stream, commandQueue }: RedisNodeClient): Duplex | undefined {
  if (commandQueue?.length !== 0 || !(stream instanceof Duplex)) return undefined;
  // Closed meanwhile, it has no reader; that it is closed the client says.
  return !stream.writable || stream.listenerCount('data') === 1 ? stream : undefined;
}
