import type { Availability } from '../model/broker/broker.js';
import { BrokerCommandError, BrokerUnavailableError, UnsupportedRedisError } from '../model/errors/broker-errors.js';
import { InvalidStateError } from '../model/errors/state-errors.js';
import type { Clock, Random } from '../model/time/clock.js';
import { type Ms, ms } from '../model/time/duration.js';
import { awaitBorrowed, type ConnectedClient, connectOwn } from './client-life.js';
import type { ClientSource } from './client-source.js';
import { ClientPipe } from './client-pipe.js';
import type { CommandPipe, CommandPipeDeps } from './command-pipe.js';
import { DirectPipe } from './direct-pipe.js';
import type { RedisArgument, RedisReply } from './connection.js';
import { bounded, pause, type Patience } from './patience.js';
import type { RedisClient, RedisNodeClient } from './redis-client.js';
import { brokerError, describeError, isRefusal } from './reply-errors.js';
import { askServer, checkVersion } from './server-version.js';

export interface CommandLinkDeps {
  readonly source: ClientSource;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a command waits for the connection, and then for its reply. */
  readonly commandLimit: Ms;
  readonly warn: (message: string) => void;
}

const longestPause = 1_000;

/**
 * The connection for commands: made at the first use, made again whenever it is lost, until it is closed.
 *
 * - idle: nothing was asked yet;
 * - down: being connected; commands wait for it, up to their limit;
 * - up: commands are sent at once;
 * - closed: for good.
 */
export class CommandLink {
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(availability: Availability) => void>();
  readonly #waiters = new Set<Waiter>();
  /** The pipe that is up, and those of a borrowed client's lost connections that still await replies. */
  readonly #pipes = new Set<CommandPipe>();
  #pipe: CommandPipe | undefined;
  #running: Promise<void> | undefined;
  #lastError: unknown;
  /** What would not change by trying again: a wrong password, an old server. */
  #refusal: Error | undefined;
  /** The server refused a write, so the next one must be a master. */
  #needsMaster: boolean;
  #announced: Availability['kind'] | 'nothing' = 'nothing';

  constructor(private readonly deps: CommandLinkDeps) {
    this.#needsMaster = deps.source.hasSentinels;
  }

  get isUp(): boolean {
    return this.#usable !== undefined;
  }

  /** Sends one command: at once when the link is up, else as soon as it is within the limit. */
  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply> {
    const pipe = this.#usable;
    if (pipe !== undefined) return pipe.send(command, args);
    return this.whenUp().then((pipe) => pipe.send(command, args));
  }

  /**
   * The connected pipe, as soon as there is one.
   *
   * @throws BrokerUnavailableError when there is none within the limit; InvalidStateError when the link is closed.
   */
  whenUp(): Promise<CommandPipe> {
    return this.#wait({ limit: this.deps.commandLimit, refusals: 'are-waited-out' });
  }

  /** As {@link whenUp}, with a limit of its own; a refusal by the server ends it at once. */
  async open(limit: Ms): Promise<void> {
    await this.#wait({ limit, refusals: 'end-it' });
  }

  /** Calls `listener` at every change, and when the first attempt to connect fails. */
  onAvailability(listener: (availability: Availability) => void): () => void {
    const own = (availability: Availability): void => listener(availability);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const closed = new InvalidStateError('The connection to Redis is closed');
    for (const waiter of this.#waiters) waiter.reject(closed);
    await this.#running;
    for (const pipe of this.#pipes) pipe.abandon(new BrokerUnavailableError('The connection to Redis was closed'));
  }

  /** The pipe, unless its client has lost the connection and only not said so yet. */
  get #usable(): CommandPipe | undefined {
    return this.#pipe?.client.status === 'ready' ? this.#pipe : undefined;
  }

  #wait(want: { readonly limit: Ms; readonly refusals: Waiter['refusals'] }): Promise<CommandPipe> {
    if (this.#stop.signal.aborted) {
      return Promise.reject(new InvalidStateError('The connection to Redis is closed'));
    }
    this.#running ??= this.#run();
    const pipe = this.#usable;
    if (pipe !== undefined) return Promise.resolve(pipe);
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        timer.cancel();
        this.#waiters.delete(waiter);
        outcome();
      };
      const waiter: Waiter = {
        refusals: want.refusals,
        resolve: (pipe) => settle(() => resolve(pipe)),
        reject: (error) => settle(() => reject(error)),
      };
      const timer = this.deps.clock.setTimer(want.limit, () => waiter.reject(this.#unavailable(want.limit)));
      this.#waiters.add(waiter);
      if (want.refusals === 'end-it' && this.#refusal !== undefined) waiter.reject(this.#refusal);
    });
  }

  #unavailable(limit: Ms): Error {
    const reason = this.#lastError === undefined ? 'there is no answer' : describeError(this.#lastError);
    const message = `Redis at ${this.deps.source.place} could not be reached within ${limit} ms: ${reason}`;
    return new BrokerUnavailableError(message, { cause: this.#lastError });
  }

  async #run(): Promise<void> {
    const { clock } = this.deps;
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const startedAt = clock.monotonic();
      await this.#connectAndServe();
      // A connection that does not last counts as a failure, or a server that drops us would keep us busy.
      failures = clock.monotonic() - startedAt < longestPause ? failures + 1 : 1;
      const limit = ms(Math.min(longestPause, 25 * 2 ** failures) * (0.5 + this.deps.random() / 2));
      await pause({ clock, limit, signal: this.#stop.signal });
    }
  }

  async #connectAndServe(): Promise<void> {
    const { source, clock, commandLimit } = this.deps;
    const signal = this.#stop.signal;
    let connected: ConnectedClient | undefined;
    try {
      const client = source.commands();
      const connect = source.borrows ? awaitBorrowed : connectOwn;
      connected = await connect(client, { clock, limit: commandLimit, signal });
      await this.#serve(connected);
    } catch (error) {
      this.#down(error);
    } finally {
      await connected?.release();
    }
  }

  /** Checks the server, lets commands through, and returns when the connection is lost. */
  async #serve(connected: ConnectedClient): Promise<void> {
    const { source, clock, commandLimit } = this.deps;
    let drop!: (error: Error) => void;
    const dropped = new Promise<Error>((resolve) => {
      drop = (error) => {
        this.#pipe = undefined;
        resolve(error);
      };
    });
    const pipe = this.#pipeOver(connected.client, {
      place: source.place,
      clock,
      answerLimit: commandLimit,
      onSilence: () => drop(new BrokerUnavailableError(`there was no answer within ${commandLimit} ms`)),
      onReadOnly: () => {
        this.#needsMaster = true;
        if (!source.borrows) drop(new BrokerUnavailableError('the server is a replica, which takes no writes'));
      },
    });
    for (const earlier of this.#pipes) if (earlier.isIdle) this.#pipes.delete(earlier);
    this.#pipes.add(pipe);
    const untilClosed: Patience = { clock, limit: 'none', signal: this.#stop.signal };
    const ended = bounded(Promise.race([connected.lost, dropped]), untilClosed).catch((error: Error) => error);
    try {
      await Promise.race([this.#check(pipe), ended.then((error) => Promise.reject(error))]);
      this.#up(pipe);
      throw await ended;
    } catch (error) {
      this.#pipe = undefined;
      // A borrowed client sends what was under way again when it is back, and then there is a reply to wait for.
      if (!source.borrows) pipe.abandon(brokerError(error, source.place));
      throw error;
    }
  }

  #pipeOver(client: RedisClient, deps: Omit<CommandPipeDeps, 'client'>): CommandPipe {
    if (this.deps.source.borrows || client.isCluster) return new ClientPipe({ client, ...deps });
    return new DirectPipe(client as RedisNodeClient, deps);
  }

  async #check(pipe: CommandPipe): Promise<void> {
    const { source, warn } = this.deps;
    const info = await askServer(pipe);
    checkVersion(info, source.place);
    if (info.version === undefined && this.#announced === 'nothing') {
      warn(`Redis at ${source.place} does not let this user ask for its version; it must be 6.2 or newer`);
    }
    if (pipe.client.isCluster) return;
    if (info.isLoading) throw new BrokerUnavailableError('the server is loading its data');
    if (info.isReplica && this.#needsMaster) {
      throw new BrokerUnavailableError('the server is a replica, which takes no writes');
    }
  }

  #up(pipe: CommandPipe): void {
    this.#pipe = pipe;
    this.#refusal = undefined;
    this.#lastError = undefined;
    for (const waiter of this.#waiters) waiter.resolve(pipe);
    this.#announce({ kind: 'up' });
  }

  #down(error: unknown): void {
    this.#lastError = error;
    this.#refusal = this.#refusalIn(error);
    if (this.#stop.signal.aborted) return;
    if (this.#refusal !== undefined) {
      for (const waiter of this.#waiters) if (waiter.refusals === 'end-it') waiter.reject(this.#refusal);
    }
    this.#announce({ kind: 'down', error: this.#refusal ?? brokerError(error, this.deps.source.place) });
  }

  #announce(availability: Availability): void {
    if (this.#announced === availability.kind) return;
    this.#announced = availability.kind;
    for (const listener of this.#listeners) listener(availability);
  }

  /** The error of a failed attempt, when trying again is pointless. */
  #refusalIn(error: unknown): Error | undefined {
    if (error instanceof UnsupportedRedisError) return error;
    const reply = replyBehind(error);
    if (!isRefusal(reply)) return undefined;
    const message = `Redis at ${this.deps.source.place} refuses the connection: ${reply.message}`;
    return new BrokerCommandError(message, { cause: reply });
  }
}

interface Waiter {
  readonly refusals: 'end-it' | 'are-waited-out';
  resolve(pipe: CommandPipe): void;
  reject(error: Error): void;
}

/** The server's reply that an error of ours or of a cluster client was made for. */
function replyBehind(error: unknown): unknown {
  if (error instanceof BrokerCommandError) return error.cause;
  return (error as { readonly lastNodeError?: unknown }).lastNodeError ?? error;
}
