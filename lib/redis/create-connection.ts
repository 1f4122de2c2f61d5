import { Redis, type RedisOptions, ReplyError } from 'ioredis';
import type { Availability } from '../model/broker/broker.js';
import { BrokerCommandError, BrokerUnavailableError } from '../model/errors/broker-errors.js';
import type { Clock } from '../model/time/clock.js';
import type { BlockingRequest, ChannelListener, RedisArgument, RedisConnection, RedisReply } from './connection.js';
import type { RedisOption } from './redis-option.js';

/** What a connection is built from. */
export interface RedisConnectionDeps {
  readonly clock: Clock;
}

/** Opens the way to one Redis. */
export function createRedisConnection(option: RedisOption, deps: RedisConnectionDeps): RedisConnection {
  return new FirstConnection(option, deps);
}

class FirstConnection implements RedisConnection {
  readonly #client: Redis;
  readonly #slots = new Map<string, Redis>();
  readonly #extra: Redis[] = [];

  constructor(option: RedisOption, _deps: RedisConnectionDeps) {
    const own = {
      lazyConnect: true,
      protocol: 2 as const,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => 200,
    };
    this.#client =
      typeof option === 'string'
        ? new Redis(option, own)
        : new Redis({ ...option, ...own, replyMapping: 'legacy' } as RedisOptions & { replyMapping: 'legacy' });
    this.#client.on('error', () => {});
  }

  async send(command: string, args: readonly RedisArgument[]): Promise<RedisReply> {
    try {
      return (await this.#client.callBuffer(command, ...(args as RedisArgument[]))) as RedisReply;
    } catch (error) {
      if (error instanceof ReplyError) throw new BrokerCommandError((error as Error).message, { cause: error });
      throw new BrokerUnavailableError('Redis cannot be reached', { cause: error });
    }
  }

  async sendToEach(command: string, args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    return [await this.send(command, args)];
  }

  async sendToNode(index: number, command: string, args: readonly RedisArgument[]): Promise<RedisReply | undefined> {
    return index === 0 ? await this.send(command, args) : undefined;
  }

  async subscribe(listener: ChannelListener): Promise<() => Promise<void>> {
    const client = this.#duplicate();
    client.on('message', (channel, message) => listener.onMessage(channel, message));
    await client.subscribe(...listener.channels);
    client.on('ready', () => listener.onReconnect());
    return async () => client.disconnect();
  }

  async sendBlocking(request: BlockingRequest): Promise<RedisReply | 'busy' | 'aborted'> {
    let client = this.#slots.get(request.slot);
    if (client === undefined) {
      if (this.#slots.size >= 4) return 'busy';
      this.#slots.set(request.slot, (client = this.#duplicate()));
    }
    const { signal } = request;
    if (signal.aborted) return 'aborted';
    const asked = client;
    const end = (): void => {
      this.#slots.delete(request.slot);
      asked.disconnect();
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      return (await client.callBuffer(request.command, ...(request.args as RedisArgument[]))) as RedisReply;
    } catch (error) {
      if (signal.aborted) return 'aborted';
      throw new BrokerUnavailableError('Redis cannot be reached', { cause: error });
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  async open(): Promise<void> {
    await this.send('ping', []);
  }

  isAvailable(): boolean {
    return this.#client.status === 'ready';
  }

  onAvailability(listener: (availability: Availability) => void): () => void {
    const up = (): void => listener({ kind: 'up' });
    const down = (): void => listener({ kind: 'down', error: new BrokerUnavailableError('The connection was lost') });
    this.#client.on('ready', up);
    this.#client.on('close', down);
    return () => {
      this.#client.off('ready', up);
      this.#client.off('close', down);
    };
  }

  async close(): Promise<void> {
    for (const client of [...this.#slots.values(), ...this.#extra, this.#client]) client.disconnect();
  }

  #duplicate(): Redis {
    const client = this.#client.duplicate({ lazyConnect: false });
    client.on('error', () => {});
    this.#extra.push(client);
    return client;
  }
}
