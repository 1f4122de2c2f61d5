import type { Availability } from '../../model/broker/broker.js';
import type { Clock, Random } from '../../model/time/clock.js';
import { BlockingConnectionPool } from './blocking-connection-pool.js';
import { ClientTransport } from './client-transport.js';
import { ClientFactory } from './client-factory.js';
import { CommandConnection } from './command-connection.js';
import { type ConnectionLimits, resolveConnectionLimits } from './connection-limits.js';
import type {
  BlockingRequest,
  ChannelListener,
  RedisArgument,
  RedisConnection,
  RedisReply,
} from './redis-connection.js';
import { TransportOpener } from './open-transport.js';
import { mastersOf } from './redis-client.js';
import { type RedisOption, resolveRedisOption, undefinedAddresses } from './redis-option.js';
import { SubscriberConnection } from './subscriber-connection.js';

export interface RedisConnectionDeps {
  /** Name of the option in errors and warnings. Default `'redis'`. */
  readonly path?: string | undefined;
  /** Default: those of {@link resolveConnectionLimits}. */
  readonly limits?: ConnectionLimits | undefined;
  /** The real time, for network timeouts. */
  readonly clock: Clock;
  /** Spreads the reconnects of many processes; without it they are not spread. */
  readonly random?: Random | undefined;
  /** Called for conditions that are unusual but harmless. */
  readonly warn?: (message: string) => void;
}

/**
 * Creates the connection to one Redis. It does not connect before the first use.
 *
 * @throws InvalidOptionError when the option does not lead to a Redis server.
 * @example
 * const connection = createRedisConnection('redis://localhost:6379', { clock: systemClock });
 * await connection.open();
 */
export function createRedisConnection(option: RedisOption, deps: RedisConnectionDeps): RedisConnection {
  const { path = 'redis', clock, random = () => 1, warn = () => {} } = deps;
  const { limits = resolveConnectionLimits({}, path) } = deps;
  const commandLimit = limits.commandTimeout;
  const target = resolveRedisOption({ path, value: option });
  for (const message of undefinedAddresses(option, path)) warn(message);
  const clients = new ClientFactory({ target, attemptLimit: commandLimit });
  const transports = new TransportOpener(warn);
  const commands = new CommandConnection({ clients, transports, clock, random, commandLimit, warn });
  return new ClientConnection({
    description: target.description,
    commands,
    limits,
    subscriber: new SubscriberConnection({ clients, commands, clock, random, commandLimit }),
    blocking: new BlockingConnectionPool({
      clients,
      transports,
      commands,
      clock,
      commandLimit,
      size: limits.blockingConnections,
    }),
  });
}

interface Parts {
  readonly description: string;
  readonly commands: CommandConnection;
  readonly limits: ConnectionLimits;
  readonly subscriber: SubscriberConnection;
  readonly blocking: BlockingConnectionPool;
}

/** The connections of one process to one Redis, whatever its kind. */
class ClientConnection implements RedisConnection {
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(private readonly parts: Parts) {}

  describe(): string {
    return this.parts.description;
  }

  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply> {
    return this.parts.commands.send(command, args);
  }

  async sendToEach(command: string, args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    const transport = await this.parts.commands.whenUp();
    if (!(transport instanceof ClientTransport)) return [await transport.send(command, args)];
    return await Promise.all(mastersOf(transport.client).map((node) => transport.sendThrough(node, { command, args })));
  }

  async sendToNode(index: number, command: string, args: readonly RedisArgument[]): Promise<RedisReply | undefined> {
    const transport = await this.parts.commands.whenUp();
    if (!(transport instanceof ClientTransport)) return index === 0 ? await transport.send(command, args) : undefined;
    const node = mastersOf(transport.client)[index];
    return node === undefined ? undefined : await transport.sendThrough(node, { command, args });
  }

  subscribe(listener: ChannelListener): Promise<() => Promise<void>> {
    return this.parts.subscriber.subscribe(listener);
  }

  sendBlocking(request: BlockingRequest): Promise<RedisReply | 'busy' | 'aborted'> {
    return this.parts.blocking.send(request);
  }

  open(): Promise<void> {
    this.#opening ??= this.parts.commands.open(this.parts.limits.connectTimeout).catch((error: unknown) => {
      // The next caller may succeed.
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  isAvailable(): boolean {
    return this.parts.commands.isUp;
  }

  onAvailability(listener: (availability: Availability) => void): () => void {
    return this.parts.commands.onAvailability(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { commands, subscriber, blocking } = this.parts;
    // A caller that opens it now is told that it is closed.
    this.#opening = undefined;
    await Promise.all([blocking.close(), subscriber.close(), commands.close()]);
  }
}
