import { BrokerCommandError, BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { InvalidStateError } from '../../model/errors/state-errors.js';
import type { Clock } from '../../model/time/clock.js';
import { type Ms, ms } from '../../model/time/duration.js';
import { waitFor } from '../../model/time/wait.js';
import { type ConnectedClient, connectOwn } from './connect-client.js';
import type { ClientFactory } from './client-factory.js';
import type { CommandConnection } from './command-connection.js';
import type { CommandTransport } from './command-transport.js';
import type { BlockingRequest, RedisReply } from './redis-connection.js';
import type { TransportOpener } from './open-transport.js';
import { withinLimit } from './time-limit.js';
import type { RedisNodeClient } from './redis-client.js';
import { brokerError } from './reply-errors.js';

export interface BlockingConnectionDeps {
  readonly clients: ClientFactory;
  readonly transports: TransportOpener;
  readonly commands: CommandConnection;
  readonly clock: Clock;
  /** How long connecting may take, and how late a reply may come. */
  readonly commandLimit: Ms;
}

/** A connection for waiting. */
interface OpenedClient {
  /** The key it waits for; in a cluster it leads to the node that holds the key. */
  readonly key: string;
  readonly connected: ConnectedClient;
  readonly transport: CommandTransport;
  /** The server's id of the connection; `undefined` before the server has answered, or if asking is not permitted. */
  id: number | undefined;
}

// How long a reply may be in transit, in milliseconds, when the server says that it is not waiting.
const replyGrace = ms(10);

/** One connection on which one command waits at a time; opened when it is needed, reopened when it was lost. */
export class BlockingConnection {
  readonly #stop = new AbortController();
  /** Settles when every request so far has released the connection. */
  #last: Promise<void> = Promise.resolve();
  /** The cleanup of the current request. */
  #tidying: Promise<void> = Promise.resolve();
  #underWay = 0;
  #opened: OpenedClient | undefined;

  constructor(private readonly deps: BlockingConnectionDeps) {}

  get isBusy(): boolean {
    return this.#underWay > 0;
  }

  /** Runs a request after the previous ones; an aborted request returns at once, at any stage. */
  async send(request: BlockingRequest): Promise<RedisReply | 'aborted'> {
    this.#underWay += 1;
    const run = this.#last.then(() => this.#run(request));
    this.#last = this.#tidyAfter(run);
    const waited = await waitFor(run, { signal: request.signal });
    return waited.ended === 'in-time' ? waited.value : 'aborted';
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#forget();
    await this.#last;
  }

  async #run(request: BlockingRequest): Promise<RedisReply | 'aborted'> {
    try {
      if (request.signal.aborted) return 'aborted';
      const opened = await this.#open(request);
      if (request.signal.aborted) return 'aborted';
      return await this.#ask(opened, request);
    } catch (error) {
      if (request.signal.aborted) return 'aborted';
      throw brokerError(error, this.deps.clients.place);
    }
  }

  async #tidyAfter(run: Promise<unknown>): Promise<void> {
    await run.catch(() => {});
    await this.#tidying;
    this.#underWay -= 1;
  }

  async #ask(
    opened: OpenedClient,
    { command, args, timeout, signal }: BlockingRequest,
  ): Promise<RedisReply | 'aborted'> {
    const { clock, commandLimit, clients } = this.deps;
    const reply = opened.transport.send(command, args);
    try {
      const waited = await waitFor(reply, { clock, limit: ms(timeout + commandLimit), signal });
      if (waited.ended === 'in-time') return waited.value;
      if (waited.ended === 'late') {
        throw new BrokerUnavailableError(`Redis at ${clients.place} does not answer a waiting command`);
      }
      this.#tidying = this.#unblock(opened, reply);
      return 'aborted';
    } catch (error) {
      // In a cluster the key may have moved: the next request looks it up again.
      if (!(error instanceof BrokerCommandError)) this.#tidying = this.#forget();
      throw error;
    }
  }

  /** Ends a wait whose reply is not needed: by asking the server to, or else by closing the connection. */
  async #unblock(opened: OpenedClient, reply: Promise<RedisReply>): Promise<void> {
    const { commands, clock, commandLimit, clients } = this.deps;
    if (opened.id !== undefined && commands.isUp && !clients.isCluster) {
      try {
        const unblocked = await commands.send('client', ['UNBLOCK', opened.id]);
        // 0: its reply is in transit, or the command has not even reached the server.
        const limit = unblocked === 1 ? commandLimit : replyGrace;
        await withinLimit(reply, { clock, limit, signal: this.#stop.signal });
        return;
      } catch {
        // Not permitted, or too late.
      }
    }
    await this.#forget();
  }

  async #open(request: BlockingRequest): Promise<OpenedClient> {
    const { clients, commands, clock, commandLimit: limit } = this.deps;
    const key = String(request.args[0] ?? '');
    if (this.#opened !== undefined && (!clients.isCluster || this.#opened.key === key)) return this.#opened;
    await this.#forget();
    const attempt = { clock, limit, signal: AbortSignal.any([this.#stop.signal, request.signal]) };
    const main = await withinLimit(commands.whenUp(), attempt);
    const connected = await connectOwn(await clients.waiting(main.client, key), attempt);
    const opened: OpenedClient = { key, connected, transport: waitingTransport(connected, this.deps), id: undefined };
    this.#opened = opened;
    // Listen from here on; otherwise a connection that is lost this early would be waited on forever.
    void this.#watch(opened);
    const id = await withinLimit(opened.transport.send('client', ['ID']), attempt).catch(() => undefined);
    if (typeof id === 'number') opened.id = id;
    if (this.#stop.signal.aborted) {
      await this.#forget();
      throw new InvalidStateError('The connection to Redis is closed');
    }
    if (this.#opened !== opened) {
      throw new BrokerUnavailableError(`Redis at ${clients.place} closed the connection as soon as it was opened`);
    }
    return opened;
  }

  async #watch(opened: OpenedClient): Promise<void> {
    const reason = await opened.connected.lost;
    if (this.#opened === opened) this.#opened = undefined;
    opened.transport.abandon(brokerError(reason, this.deps.clients.place));
  }

  async #forget(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.connected.release();
  }
}

/** Creates a transport without a silence limit: each wait has its own limit. */
function waitingTransport(
  connected: ConnectedClient,
  { clients, transports, clock }: BlockingConnectionDeps,
): CommandTransport {
  return transports.open(connected.client as RedisNodeClient, {
    place: clients.place,
    clock,
    isCluster: clients.isCluster,
    answerLimit: 'none',
    onSilence: () => void connected.release(),
    onReadOnly: () => {},
  });
}
