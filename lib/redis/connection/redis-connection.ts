import type { Availability } from '../../model/broker/broker.js';
import type { Ms } from '../../model/time/duration.js';

/** An argument of a command: text, a whole number, or bytes. */
export type RedisArgument = string | number | Buffer;

/** The reply to a command; strings are bytes, so that binary data is not damaged. */
export type RedisReply = Buffer | number | null | readonly RedisReply[];

/**
 * A process's connection to one Redis: one connection for commands, one for signals, and a bounded number for waiting.
 * Opens each when it is first needed; closes what it opened and never what it was given.
 */
export interface RedisConnection {
  /** Returns where it leads: host, port and database, without user and password. */
  describe(): string;

  /**
   * Sends one command (`evalsha`, `sadd`, ...) and resolves with its reply in bytes.
   *
   * @throws BrokerUnavailableError when the server cannot be reached within the command limit, or the connection was
   * lost before the reply came (the command may have been executed).
   * @throws BrokerCommandError when the server answers with an error.
   */
  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply>;

  /** Sends one command to every master of a cluster, or to the one server; replies in a stable order. */
  sendToEach(command: string, args: readonly RedisArgument[]): Promise<readonly RedisReply[]>;

  /** Sends one command to the n-th master of {@link sendToEach}'s order; `undefined` when there are fewer. */
  sendToNode(index: number, command: string, args: readonly RedisArgument[]): Promise<RedisReply | undefined>;

  /** Subscribes to channels; opens the connection for signals at the first call. */
  subscribe(listener: ChannelListener): Promise<() => Promise<void>>;

  /**
   * Runs one blocking command on a separate connection, at most `timeout` long; `signal` ends it early. Resolves with
   * `busy` if all connections for waiting are in use by other queues.
   */
  sendBlocking(request: BlockingRequest): Promise<RedisReply | 'busy' | 'aborted'>;

  /** Connects and checks the server's version; does so once, however often it is called. */
  open(): Promise<void>;
  isAvailable(): boolean;
  onAvailability(listener: (availability: Availability) => void): () => void;
  close(): Promise<void>;
}

export interface ChannelListener {
  readonly channels: readonly string[];
  onMessage(channel: string, message: string): void;
  /** The subscription was lost and is back. */
  onReconnect(): void;
}

export interface BlockingRequest {
  /** Requests with the same key share a connection, one after the other. */
  readonly connectionKey: string;
  readonly command: string;
  readonly args: readonly RedisArgument[];
  /** How long the server may block; the caller's arguments say the same to the server. */
  readonly timeout: Ms;
  readonly signal: AbortSignal;
}
