import type { Duplex } from 'node:stream';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Ms } from '../../model/time/duration.js';
import { CommandEncoder } from './command-encoder.js';
import { type CommandTransport, type CommandTransportDeps, noAnswerError, replyError } from './command-transport.js';
import type { RedisArgument, RedisReply } from './redis-connection.js';
import type { RedisNodeClient } from './redis-client.js';
import { describeConnectionError, isReadOnlyReply, ReplyError } from './reply-errors.js';
import { ReplyParser } from './reply-parser.js';
import { ResponseTimeout } from './response-timeout.js';
import { SocketActivity } from './socket-activity.js';

interface Awaited {
  readonly sentAt: Ms;
  resolve(reply: RedisReply): void;
  reject(error: Error): void;
}

// Beyond this size, waiting for the end of the turn would only leave the server idle.
const gatherLimit = 16 * 1024;

/**
 * Sends commands over the socket of a client of our own. The client has found the server, connected and logged in; from
 * then on the socket is ours, and the client only reports when it is closed. That makes a command three to four times
 * cheaper than through the client (bench/command-encoding.mjs).
 */
export class SocketTransport implements CommandTransport {
  readonly #encoder = new CommandEncoder();
  readonly #parser = new ReplyParser();
  readonly #timeout: ResponseTimeout;
  readonly #stream: Duplex;
  /** Oldest first, from {@link #answered} on; the ones before are answered and forgotten. */
  #awaited: (Awaited | undefined)[] = [];
  #answered = 0;
  #lastReplyAt: Ms;
  #turn: 'none' | 'gathering' | 'flushed' = 'none';
  /** Commands encoded in this turn. */
  #unsent: Buffer[] = [];
  #turnStartedAt: Ms;
  #turnBytes = 0;

  constructor(
    readonly client: RedisNodeClient,
    private readonly deps: Omit<CommandTransportDeps, 'client'> & {
      /** The client's socket, which nothing else reads from. */
      readonly stream: Duplex;
    },
  ) {
    const { clock, answerLimit } = deps;
    this.#lastReplyAt = this.#turnStartedAt = clock.monotonic();
    const progress = new SocketActivity(() => deps.stream);
    this.#timeout = new ResponseTimeout({
      clock,
      limit: answerLimit,
      silentSince: () => this.#silentSince(),
      hasSent: () => progress.hasSent(),
      onSilence: () => this.#giveUp(noAnswerError({ client, ...deps })),
    });
    this.#stream = deps.stream;
    this.#stream.removeAllListeners('data');
    this.#stream.on('data', (piece: Buffer) => this.#onData(piece));
  }

  get isIdle(): boolean {
    return this.#answered === this.#awaited.length;
  }

  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply> {
    const bytes = this.#encoder.encode(command, args);
    return new Promise((resolve, reject) => {
      this.#write(bytes);
      this.#awaited.push({ sentAt: this.#turnStartedAt, resolve, reject });
      this.#timeout.start();
    });
  }

  abandon(error: Error): void {
    this.#timeout.stop();
    const left = this.#awaited.slice(this.#answered);
    this.#awaited = [];
    this.#answered = 0;
    for (const awaited of left) awaited?.reject(error);
  }

  /**
   * Sends everything of one turn of the event loop in one write, once the turn's promises have been handled: a write
   * costs more than anything else here.
   */
  #write(bytes: Buffer): void {
    if (this.#turn === 'none') {
      this.#turn = 'gathering';
      this.#turnStartedAt = this.deps.clock.monotonic();
      this.#turnBytes = 0;
      queueMicrotask(this.#afterMicrotasks);
    }
    if (this.#turn === 'flushed') return void this.#stream.write(bytes);
    this.#gather(bytes);
    this.#turnBytes += bytes.length;
    if (this.#turnBytes > gatherLimit) {
      this.#turn = 'flushed';
      this.#flush();
    }
  }

  /** Gathers commands; those encoded in succession are adjacent and become one piece for the socket. */
  #gather(bytes: Buffer): void {
    const last = this.#unsent.at(-1);
    if (last?.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
      this.#unsent[this.#unsent.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + bytes.length);
    } else {
      this.#unsent.push(bytes);
    }
  }

  #flush(): void {
    const unsent = this.#unsent;
    if (unsent.length === 0) return;
    this.#unsent = [];
    // Closed in the meantime: the monitor of the connection rejects those that await a reply.
    if (!this.#stream.writable) return;
    if (unsent.length > 1) this.#stream.cork();
    for (const bytes of unsent) this.#stream.write(bytes);
    if (unsent.length > 1) this.#stream.uncork();
  }

  readonly #afterMicrotasks = (): void => process.nextTick(this.#endTurn);

  readonly #endTurn = (): void => {
    this.#turn = 'none';
    this.#flush();
  };

  #onData(piece: Buffer): void {
    this.#lastReplyAt = this.deps.clock.monotonic();
    try {
      this.#parser.push(piece, this.#onReply);
    } catch (error) {
      const { place } = this.deps;
      this.#giveUp(
        new BrokerUnavailableError(
          `Redis at ${place} does not speak the Redis protocol: ${describeConnectionError(error)}`,
        ),
      );
    }
    if (this.#answered === this.#awaited.length) {
      this.#awaited = [];
      this.#answered = 0;
    } else if (this.#answered > 1_000) {
      this.#awaited = this.#awaited.slice(this.#answered);
      this.#answered = 0;
    }
  }

  readonly #onReply = (reply: RedisReply | ReplyError): void => {
    const awaited = this.#awaited[this.#answered];
    // Replies to abandoned commands: the connection is being closed.
    if (awaited === undefined) return;
    // Its promise holds the reply, which is needed only until it is read.
    this.#awaited[this.#answered++] = undefined;
    if (!(reply instanceof ReplyError)) return awaited.resolve(reply);
    if (isReadOnlyReply(reply)) this.deps.onReadOnly();
    awaited.reject(replyError(reply, { client: this.client, ...this.deps }));
  };

  #silentSince(): Ms | undefined {
    const oldest = this.#awaited[this.#answered];
    // The server answers in order, so any reply is a sign of life for all.
    return oldest === undefined || oldest.sentAt > this.#lastReplyAt ? oldest?.sentAt : this.#lastReplyAt;
  }

  #giveUp(error: Error): void {
    this.abandon(error);
    this.deps.onSilence();
  }
}
