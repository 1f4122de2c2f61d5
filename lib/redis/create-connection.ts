import type { Availability } from '../model/broker/broker.js';
import type { Clock, Random } from '../model/time/clock.js';
import { BlockingSlots } from './blocking-slots.js';
import { ClientPipe } from './client-pipe.js';
import { ClientSource } from './client-source.js';
import { CommandLink } from './command-link.js';
import { type ConnectionLimitOptions, type ConnectionLimits, resolveConnectionLimits } from './connection-limits.js';
import type { BlockingRequest, ChannelListener, RedisArgument, RedisConnection, RedisReply } from './connection.js';
import { isClusterClient, nodeAddress, type RedisClient } from './redis-client.js';
import { type RedisOption, resolveRedisOption } from './redis-option.js';
import { SubscriberConnection } from './subscriber-connection.js';

export interface RedisConnectionDeps extends ConnectionLimitOptions {
  /** The real time: limits here are about a real network. */
  readonly clock: Clock;
  /** Spreads reconnects of many processes; without it they are not spread. */
  readonly random?: Random;
  /** Hears of what is odd but does no harm. */
  readonly warn?: (message: string) => void;
}

/**
 * Makes the way to one Redis. Nothing is connected before the first use.
 *
 * @throws InvalidOptionError when the option is no way to a Redis.
 * @example
 * const connection = createRedisConnection('redis://localhost:6379', { clock: systemClock });
 * await connection.open();
 */
export function createRedisConnection(option: RedisOption, deps: RedisConnectionDeps): RedisConnection {
  const { clock, random = () => 1, warn = () => {} } = deps;
  const limits = resolveConnectionLimits(deps);
  const commandLimit = limits.commandTimeout;
  const target = resolveRedisOption({ path: 'redis', value: option });
  const source = new ClientSource({ target, attemptLimit: commandLimit });
  const link = new CommandLink({ source, clock, random, commandLimit, warn });
  return new ClientConnection({
    link,
    limits,
    subscriber: new SubscriberConnection({ source, link, clock, random, commandLimit }),
    slots: new BlockingSlots({ source, link, clock, commandLimit, size: limits.blockingConnections }),
  });
}

interface Parts {
  readonly link: CommandLink;
  readonly limits: ConnectionLimits;
  readonly subscriber: SubscriberConnection;
  readonly slots: BlockingSlots;
}

/** The connections of one process to one Redis, whatever its kind. */
class ClientConnection implements RedisConnection {
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(private readonly parts: Parts) {}

  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply> {
    return this.parts.link.send(command, args);
  }

  async sendToEach(command: string, args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    const pipe = await this.parts.link.whenUp();
    if (!(pipe instanceof ClientPipe)) return [await pipe.send(command, args)];
    return await Promise.all(mastersOf(pipe.client).map((node) => pipe.sendThrough(node, { command, args })));
  }

  async sendToNode(index: number, command: string, args: readonly RedisArgument[]): Promise<RedisReply | undefined> {
    const pipe = await this.parts.link.whenUp();
    if (!(pipe instanceof ClientPipe)) return index === 0 ? await pipe.send(command, args) : undefined;
    const node = mastersOf(pipe.client)[index];
    return node === undefined ? undefined : await pipe.sendThrough(node, { command, args });
  }

  subscribe(listener: ChannelListener): Promise<() => Promise<void>> {
    return this.parts.subscriber.subscribe(listener);
  }

  sendBlocking(request: BlockingRequest): Promise<RedisReply | 'busy' | 'aborted'> {
    return this.parts.slots.send(request);
  }

  open(): Promise<void> {
    this.#opening ??= this.parts.link.open(this.parts.limits.connectTimeout).catch((error: unknown) => {
      // The next caller may have more luck.
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  isAvailable(): boolean {
    return this.parts.link.isUp;
  }

  onAvailability(listener: (availability: Availability) => void): () => void {
    return this.parts.link.onAvailability(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { link, subscriber, slots } = this.parts;
    // Who opens it now is told that it is closed.
    this.#opening = undefined;
    await Promise.all([slots.close(), subscriber.close(), link.close()]);
  }
}

/** The masters of a cluster in a stable order, or the one server. */
function mastersOf(client: RedisClient): readonly RedisClient[] {
  if (!isClusterClient(client)) return [client];
  return [...client.nodes('master')].sort((one, other) => (nodeAddress(one) < nodeAddress(other) ? -1 : 1));
}
