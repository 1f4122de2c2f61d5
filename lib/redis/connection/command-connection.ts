import type { Availability } from '../../model/broker/broker.js';
import { AsynqError } from '../../model/errors/asynq-error.js';
import { BrokerCommandError, BrokerUnavailableError, UnsupportedRedisError } from '../../model/errors/broker-errors.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import type { Clock, Random } from '../../model/time/clock.js';
import { type Ms, ms } from '../../model/time/duration.js';
import { pause, startLimit } from '../../model/time/wait.js';
import { awaitBorrowed, type ConnectedClient, connectOwn, reasonOfFailure } from './connect-client.js';
import { EvictionWarning } from './eviction-warning.js';
import type { ClientFactory } from './client-factory.js';
import { ClientTransport } from './client-transport.js';
import type { CommandTransport, CommandTransportDeps } from './command-transport.js';
import type { TransportOpener } from './open-transport.js';
import type { RedisArgument, RedisReply } from './redis-connection.js';
import { withinLimit, type TimeLimit } from './time-limit.js';
import { mastersOf, type RedisClient, type RedisNodeClient } from './redis-client.js';
import { explainFailedAttempt } from './failed-attempt.js';
import { brokerError, describeConnectionError, isNoClusterReply, isRefusal, isReplyError } from './reply-errors.js';
import { askServer, checkIsSingle, checkVersion, singleServerMessage } from './server-info.js';

export interface CommandConnectionDeps {
  readonly clients: ClientFactory;
  readonly transports: TransportOpener;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a command waits for the connection, and then for its reply. */
  readonly commandLimit: Ms;
  readonly warn: (message: string) => void;
}

/** Short enough that outcomes are stored within a second after the network is back. */
const maxPause = 500;

/**
 * The connection for commands: opened at the first use, and reopened whenever it is lost, until it is closed.
 *
 * - idle: nothing was asked yet;
 * - down: connecting; commands wait for it, up to their limit;
 * - up: commands are sent at once;
 * - closed: for good.
 */
export class CommandConnection {
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(availability: Availability) => void>();
  readonly #waiters = new Set<Waiter>();
  /** The current transport, and those of a borrowed client's lost connections that still await replies. */
  readonly #transports = new Set<CommandTransport>();
  #transport: CommandTransport | undefined;
  #running: Promise<void> | undefined;
  #lastError: unknown;
  /** Whether the current attempt has not reached the commands yet. */
  #isConnecting = false;
  /** An error that trying again would not change: a wrong password, an old server. */
  #refusal: Error | undefined;
  /** Whether the server refused a write, so that the next one must be a master. */
  #needsMaster: boolean;
  #announced: Availability['kind'] | 'nothing' = 'nothing';
  readonly #eviction: EvictionWarning;

  constructor(private readonly deps: CommandConnectionDeps) {
    this.#needsMaster = deps.clients.hasSentinels;
    this.#eviction = new EvictionWarning({ place: deps.clients.place, warn: deps.warn });
  }

  get isUp(): boolean {
    return this.#usable !== undefined;
  }

  /** Sends one command: at once if the connection is up, otherwise as soon as it is, within the limit. */
  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply> {
    const transport = this.#usable;
    if (transport !== undefined) return transport.send(command, args);
    return this.whenUp().then((transport) => transport.send(command, args));
  }

  /**
   * Resolves with the connected transport as soon as there is one.
   *
   * @throws BrokerUnavailableError when there is none within the limit; InvalidStateError when the connection is
   * closed.
   */
  whenUp(): Promise<CommandTransport> {
    return this.#wait({ limit: this.deps.commandLimit, refusals: 'are-waited-out' });
  }

  /** Like {@link whenUp}, with its own limit; a refusal by the server ends it at once. */
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
    for (const transport of this.#transports)
      transport.abandon(new BrokerUnavailableError('The connection to Redis was closed'));
  }

  /** The transport, unless its client has lost the connection but not reported it yet. */
  get #usable(): CommandTransport | undefined {
    return this.#transport?.client.status === 'ready' ? this.#transport : undefined;
  }

  #wait(want: { readonly limit: Ms; readonly refusals: Waiter['refusals'] }): Promise<CommandTransport> {
    if (this.#stop.signal.aborted) {
      return Promise.reject(new InvalidStateError('The connection to Redis is closed'));
    }
    this.#running ??= this.#run();
    const transport = this.#usable;
    if (transport !== undefined) return Promise.resolve(transport);
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        timer.cancel();
        this.#waiters.delete(waiter);
        outcome();
      };
      const waiter: Waiter = {
        refusals: want.refusals,
        resolve: (transport) => settle(() => resolve(transport)),
        reject: (error) => settle(() => reject(error)),
      };
      const timer = startLimit(this.deps.clock, want.limit, () => waiter.reject(this.#unavailable(want.limit)));
      this.#waiters.add(waiter);
      if (want.refusals === 'end-it' && this.#refusal !== undefined) waiter.reject(this.#refusal);
    });
  }

  #unavailable(limit: Ms): Error {
    const { clients } = this.deps;
    const reason = this.#lastError ?? explainFailedAttempt(new BrokerUnavailableError('there is no answer'), clients);
    const message = `Redis at ${clients.place} could not be reached within ${limit} ms: ${describeConnectionError(reason)}`;
    return new BrokerUnavailableError(message, { cause: reason });
  }

  async #run(): Promise<void> {
    const { clock } = this.deps;
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const startedAt = clock.monotonic();
      await this.#connectAndServe();
      // A short-lived connection counts as a failure; otherwise a server that drops us would keep us busy.
      failures = clock.monotonic() - startedAt < maxPause ? failures + 1 : 1;
      const length = ms(Math.min(maxPause, 25 * 2 ** failures) * (0.5 + this.deps.random() / 2));
      await pause(length, { clock, signal: this.#stop.signal });
    }
  }

  async #connectAndServe(): Promise<void> {
    const { clients, clock, commandLimit } = this.deps;
    const signal = this.#stop.signal;
    let connected: ConnectedClient | undefined;
    this.#isConnecting = true;
    try {
      const client = clients.commands();
      const connect = clients.borrows ? awaitBorrowed : connectOwn;
      connected = await connect(client, { clock, limit: commandLimit, signal });
      await this.#serve(connected);
    } catch (error) {
      this.#down(this.#isConnecting ? await this.#explain(error) : error);
    } finally {
      await connected?.release();
    }
  }

  /** Returns what is known about a failed attempt. */
  async #explain(error: unknown): Promise<unknown> {
    const { clients, clock, commandLimit } = this.deps;
    if (error instanceof AsynqError && !(error instanceof BrokerUnavailableError)) return error;
    const reply = replyBehind(error);
    // The cluster client does not say why it reaches none of the nodes, so one of them is tried by itself.
    const node = isReplyError(reply) ? undefined : clients.seed();
    if (node === undefined) return explainFailedAttempt(reply, clients);
    const limit = ms(Math.min(maxPause, commandLimit));
    const reason = await reasonOfFailure(node, { clock, limit, signal: this.#stop.signal });
    return explainFailedAttempt(reason ?? error, clients);
  }

  /** Checks the server, lets commands pass, and returns when the connection is lost. */
  async #serve(connected: ConnectedClient): Promise<void> {
    const { clients, clock, commandLimit } = this.deps;
    let drop!: (error: Error) => void;
    const dropped = new Promise<Error>((resolve) => {
      drop = (error) => {
        this.#transport = undefined;
        resolve(error);
      };
    });
    const transport = this.#transportOver(connected.client, {
      place: clients.place,
      clock,
      isCluster: clients.isCluster,
      answerLimit: commandLimit,
      onSilence: () => drop(new BrokerUnavailableError(`there was no answer within ${commandLimit} ms`)),
      onReadOnly: () => {
        this.#needsMaster = true;
        if (!clients.borrows) drop(new BrokerUnavailableError('the server is a replica, which accepts no writes'));
      },
    });
    for (const earlier of this.#transports) if (earlier.isIdle) this.#transports.delete(earlier);
    this.#transports.add(transport);
    const untilClosed: TimeLimit = { clock, limit: 'none', signal: this.#stop.signal };
    const ended = withinLimit(Promise.race([connected.lost, dropped]), untilClosed).catch((error: Error) => error);
    try {
      await Promise.race([this.#check(transport), ended.then((error) => Promise.reject(error))]);
      this.#up(transport);
      throw await ended;
    } catch (error) {
      this.#transport = undefined;
      // A borrowed client resends in-flight commands when it is back, and then there is a reply to wait for.
      if (!clients.borrows) transport.abandon(brokerError(error, clients.place));
      throw error;
    }
  }

  #transportOver(client: RedisClient, deps: Omit<CommandTransportDeps, 'client'>): CommandTransport {
    const { borrows } = this.deps.clients;
    if (borrows || client.isCluster) return new ClientTransport({ client, ownsNodes: !borrows, ...deps });
    return this.deps.transports.open(client as RedisNodeClient, deps);
  }

  async #check(transport: CommandTransport): Promise<void> {
    const { clients, warn } = this.deps;
    const info = await askServer((command, args) => transport.send(command, args));
    checkVersion(info, clients.place);
    if (info.version === undefined && this.#announced === 'nothing') {
      warn(`Redis at ${clients.place} does not reveal its version; it must be 6.2 or newer`);
    }
    if (transport.client.isCluster) return void this.#checkMasters(transport as ClientTransport);
    checkIsSingle(info, clients.place);
    this.#eviction.check(info);
    if (info.isLoading) throw new BrokerUnavailableError('the server is loading its data');
    if (info.isReplica && this.#needsMaster) {
      throw new BrokerUnavailableError('the server is a replica, which accepts no writes');
    }
  }

  async #checkMasters(transport: ClientTransport): Promise<void> {
    for (const node of mastersOf(transport.client)) {
      const info = await askServer((command, args) => transport.sendThrough(node, { command, args })).catch(() => {});
      if (info !== undefined) this.#eviction.check(info);
    }
  }

  #up(transport: CommandTransport): void {
    this.#isConnecting = false;
    this.#transport = transport;
    this.#refusal = undefined;
    this.#lastError = undefined;
    for (const waiter of this.#waiters) waiter.resolve(transport);
    this.#announce({ kind: 'up' });
  }

  #down(error: unknown): void {
    this.#lastError = error;
    this.#refusal = this.#refusalIn(error);
    if (this.#stop.signal.aborted) return;
    if (this.#refusal !== undefined) {
      for (const waiter of this.#waiters) if (waiter.refusals === 'end-it') waiter.reject(this.#refusal);
    }
    this.#announce({ kind: 'down', error: this.#refusal ?? brokerError(error, this.deps.clients.place) });
  }

  #announce(availability: Availability): void {
    if (this.#announced === availability.kind) return;
    this.#announced = availability.kind;
    for (const listener of this.#listeners) listener(availability);
  }

  /** Returns the error of a failed attempt if trying again is pointless. */
  #refusalIn(error: unknown): Error | undefined {
    if (error instanceof UnsupportedRedisError) return error;
    const reply = replyBehind(error);
    if (isNoClusterReply(reply)) {
      return new UnsupportedRedisError(singleServerMessage(this.deps.clients.place), { cause: reply });
    }
    if (!isRefusal(reply)) return undefined;
    const message = `Redis at ${this.deps.clients.place} refuses the connection: ${reply.message}`;
    return new BrokerCommandError(message, { cause: reply });
  }
}

interface Waiter {
  readonly refusals: 'end-it' | 'are-waited-out';
  resolve(transport: CommandTransport): void;
  reject(error: Error): void;
}

/** Returns the server's reply behind an error of ours or of a cluster client. */
function replyBehind(error: unknown): unknown {
  if (error instanceof BrokerCommandError) return error.cause;
  return (error as { readonly lastNodeError?: unknown }).lastNodeError ?? error;
}
