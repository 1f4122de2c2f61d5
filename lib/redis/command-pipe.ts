import { Redis } from 'ioredis';
import { BrokerUnavailableError } from '../model/errors/broker-errors.js';
import type { Clock, Timer } from '../model/time/clock.js';
import { type Ms, ms } from '../model/time/duration.js';
import type { RedisArgument, RedisReply } from './connection.js';
import { CommandEncoder, type CommandObserver, EncodedCommand } from './encoded-command.js';
import type { RedisClient } from './redis-client.js';
import { brokerError, isReadOnlyReply } from './reply-errors.js';

export interface CommandPipeDeps {
  /** Connected, and not reconnecting by itself unless it is borrowed. */
  readonly client: RedisClient;
  readonly place: string;
  readonly clock: Clock;
  /** How long the server may say nothing while commands wait for their replies. */
  readonly answerLimit: Ms | 'none';
  /** The server says nothing any more, so nothing is under way any more either. Not called for a cluster. */
  readonly onSilence: () => void;
  /** The server takes no writes. */
  readonly onReadOnly: () => void;
}

/** A command whose reply is awaited. */
interface Awaited {
  readonly sentAt: Ms;
  reject(error: Error): void;
}

// Beyond this much, waiting for the end of the turn would only let the server idle.
const corkLimit = 16 * 1024;

/** Sends commands through one connected client and knows which of them are under way. */
export class CommandPipe implements CommandObserver {
  /** Oldest first. */
  readonly #awaited = new Set<Awaited>();
  readonly #encoder = new CommandEncoder();
  /** The client when it is one whose commands we may encode ourselves. */
  readonly #direct: Redis | undefined;
  #lastReplyAt: Ms;
  #watch: Timer | undefined;
  #corked: 'no' | 'yes' | 'flushed' = 'no';
  #corkedBytes = 0;

  constructor(private readonly deps: CommandPipeDeps) {
    this.#direct = deps.client instanceof Redis ? deps.client : undefined;
    this.#lastReplyAt = deps.clock.monotonic();
  }

  get client(): RedisClient {
    return this.deps.client;
  }

  /** Whether no reply is awaited. */
  get isIdle(): boolean {
    return this.#awaited.size === 0;
  }

  /** Sends one command. Rejects with BrokerCommandError or BrokerUnavailableError. */
  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply> {
    const direct = this.#direct;
    if (direct === undefined) return this.sendThrough(this.deps.client, { command, args });
    const encoded = new EncodedCommand(command, {
      bytes: this.#encoder.encode(command, args),
      sentAt: this.deps.clock.monotonic(),
      observer: this,
    });
    this.#add(encoded);
    this.#cork(direct, encoded.bytes.length);
    direct.sendCommand(encoded);
    return encoded.promise as Promise<RedisReply>;
  }

  /** Sends one command through a given client: a node of the cluster that this pipe leads to. */
  sendThrough(
    client: RedisClient,
    call: { readonly command: string; readonly args: readonly RedisArgument[] },
  ): Promise<RedisReply> {
    return new Promise((resolve, reject) => {
      const awaited: Awaited = { sentAt: this.deps.clock.monotonic(), reject };
      this.#add(awaited);
      // The client makes an object of this command's reply when it knows the name; it only knows small letters.
      const name = call.command === 'hgetall' ? 'HGETALL' : call.command;
      client.callBuffer(name, ...call.args).then(
        (reply) => resolve(this.#settled(awaited, reply as RedisReply)),
        (error: unknown) => reject(this.#failed(awaited, error)),
      );
    });
  }

  /** Gives up on every command that is under way. */
  abandon(error: Error): void {
    this.#watch?.cancel();
    this.#watch = undefined;
    for (const awaited of this.#awaited) awaited.reject(error);
    this.#awaited.clear();
  }

  onReply(command: EncodedCommand): void {
    this.#settled(command, null);
  }

  onError(command: EncodedCommand, error: unknown): Error {
    return this.#failed(command, error);
  }

  #settled(awaited: Awaited, reply: RedisReply): RedisReply {
    this.#awaited.delete(awaited);
    this.#lastReplyAt = this.deps.clock.monotonic();
    return reply;
  }

  #failed(awaited: Awaited, error: unknown): Error {
    this.#settled(awaited, null);
    if (isReadOnlyReply(error)) this.deps.onReadOnly();
    return brokerError(error, this.deps.place);
  }

  #add(awaited: Awaited): void {
    this.#awaited.add(awaited);
    if (this.#watch === undefined && this.deps.answerLimit !== 'none') this.#watchFor(this.deps.answerLimit);
  }

  /** One timer for all commands: it is set anew when it fires, not at every reply. */
  #watchFor(delay: Ms): void {
    this.#watch = this.deps.clock.setTimer(delay, () => {
      this.#watch = undefined;
      this.#checkSilence();
    });
  }

  #checkSilence(): void {
    const { answerLimit, clock, client, place } = this.deps;
    if (answerLimit === 'none') return;
    const now = clock.monotonic();
    for (const awaited of this.#awaited) {
      // One server answers in order, so any reply is a sign of life for all; in a cluster it is one node's only.
      const since = client.isCluster ? awaited.sentAt : Math.max(awaited.sentAt, this.#lastReplyAt);
      if (now - since < answerLimit) {
        this.#watchFor(ms(answerLimit - (now - since)));
        return;
      }
      const error = new BrokerUnavailableError(`Redis at ${place} has not answered for ${answerLimit} ms`);
      if (!client.isCluster) {
        this.abandon(error);
        return this.deps.onSilence();
      }
      this.#awaited.delete(awaited);
      awaited.reject(error);
    }
  }

  /**
   * What is sent in one turn of the event loop goes out in one write, when the turn's promises have been handled.
   * Saves a third of Node's time for small commands (bench/connection.mjs).
   */
  #cork({ stream }: { readonly stream: Redis['stream'] | undefined }, bytes: number): void {
    // A borrowed client may have lost its connection since; it queues the command then.
    if (stream === undefined || stream === null || !stream.writable) return;
    if (this.#corked === 'no') {
      this.#corked = 'yes';
      this.#corkedBytes = 0;
      stream.cork();
      queueMicrotask(() =>
        process.nextTick(() => {
          if (this.#corked === 'yes') stream.uncork();
          this.#corked = 'no';
        }),
      );
    }
    this.#corkedBytes += bytes;
    if (this.#corked === 'yes' && this.#corkedBytes > corkLimit) {
      this.#corked = 'flushed';
      stream.uncork();
    }
  }
}
