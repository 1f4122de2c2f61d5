import type { Ms } from '../../model/time/duration.js';
import { type CommandTransport, type CommandTransportDeps, noAnswerError, replyError } from './command-transport.js';
import { ClusterActivity } from './cluster-activity.js';
import type { RedisArgument, RedisReply } from './redis-connection.js';
import { isClusterClient, type RedisClient, type RedisNodeClient } from './redis-client.js';
import { isReadOnlyReply } from './reply-errors.js';
import { ResponseTimeout } from './response-timeout.js';
import { SocketActivity } from './socket-activity.js';

interface Awaited {
  readonly sentAt: Ms;
  reject(error: Error): void;
}

export interface ClientTransportDeps extends CommandTransportDeps {
  /** Whether the connection to a cluster node may be closed when nothing comes from there. */
  readonly ownsNodes?: boolean;
}

/** Sends commands through the client itself: for a cluster, a borrowed client, or one that listens to channels. */
export class ClientTransport implements CommandTransport {
  /** Oldest first. */
  readonly #awaited = new Set<Awaited>();
  readonly #timeout: ResponseTimeout;
  #lastReplyAt: Ms;

  readonly #progress: SocketActivity;
  readonly #cluster: ClusterActivity | undefined;

  constructor(private readonly deps: ClientTransportDeps) {
    const { client, clock, answerLimit } = deps;
    this.#progress = new SocketActivity(() => (client as RedisNodeClient).stream);
    this.#cluster = isClusterClient(client) ? new ClusterActivity(client, clock) : undefined;
    this.#lastReplyAt = clock.monotonic();
    this.#timeout = new ResponseTimeout({
      clock,
      limit: answerLimit,
      silentSince: () => this.#silentSince(),
      hasSent: () => this.#hasSent(),
      onSilence: () => this.#onSilence(),
    });
  }

  get client(): RedisClient {
    return this.deps.client;
  }

  get isIdle(): boolean {
    return this.#awaited.size === 0;
  }

  send(command: string, args: readonly RedisArgument[]): Promise<RedisReply> {
    return this.sendThrough(this.deps.client, { command, args });
  }

  /** Sends one command through a given client: a node of this transport's cluster. */
  sendThrough(
    client: RedisClient,
    call: { readonly command: string; readonly args: readonly RedisArgument[] },
  ): Promise<RedisReply> {
    return new Promise((resolve, reject) => {
      const awaited: Awaited = { sentAt: this.deps.clock.monotonic(), reject };
      this.#awaited.add(awaited);
      this.#timeout.start();
      // The client turns this command's reply into an object if it knows the name; it only knows lower case.
      const name = call.command === 'hgetall' ? 'HGETALL' : call.command;
      client.callBuffer(name, ...call.args).then(
        (reply) => resolve(this.#settled(awaited, reply as RedisReply)),
        (error: unknown) => reject(this.#failed(awaited, error)),
      );
    });
  }

  abandon(error: Error): void {
    this.#timeout.stop();
    for (const awaited of this.#awaited) awaited.reject(error);
    this.#awaited.clear();
  }

  #settled(awaited: Awaited, reply: RedisReply): RedisReply {
    this.#awaited.delete(awaited);
    this.#heard();
    return reply;
  }

  #failed(awaited: Awaited, error: unknown): Error {
    this.#settled(awaited, null);
    if (isReadOnlyReply(error)) this.deps.onReadOnly();
    return replyError(error, this.deps);
  }

  #heard(): void {
    this.#lastReplyAt = this.deps.clock.monotonic();
    // The bytes of this reply must not be mistaken for those of another.
    if (this.#cluster === undefined) this.#progress.hasReceived();
  }

  #hasSent(): boolean {
    if (this.#cluster !== undefined) {
      this.#cluster.look();
      return false;
    }
    // A part of a long reply is a sign of life, too.
    if (this.#progress.hasReceived()) this.#lastReplyAt = this.deps.clock.monotonic();
    return this.#progress.hasSent();
  }

  #silentSince(): Ms | undefined {
    const [oldest] = this.#awaited;
    if (oldest === undefined) return undefined;
    // One server answers in order, so any reply is a sign of life for all; in a cluster it is one only for its node,
    // and the oldest command may be anywhere.
    const heardAt = this.#cluster === undefined ? this.#lastReplyAt : (this.#cluster.quietSince() ?? oldest.sentAt);
    return oldest.sentAt > heardAt ? oldest.sentAt : heardAt;
  }

  #onSilence(): void {
    const error = noAnswerError(this.deps);
    if (this.#cluster === undefined) {
      this.abandon(error);
      return this.deps.onSilence();
    }
    // The client then rejects the commands that wait for this node.
    if (this.deps.ownsNodes === true && this.#cluster.cutQuietest(error)) return;
    const [oldest] = this.#awaited;
    if (oldest === undefined) return;
    this.#awaited.delete(oldest);
    oldest.reject(error);
  }
}
