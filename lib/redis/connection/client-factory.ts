import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import type { Ms } from '../../model/time/duration.js';
import {
  isClusterClient,
  nodeAddress,
  type RedisClient,
  type RedisClusterClient,
  type RedisNodeClient,
} from './redis-client.js';
import type { RedisServerOptions } from './ioredis-options.js';
import type { RedisTarget } from './redis-option.js';

/** What a connection is for; part of its name in the server's CLIENT LIST. */
type Purpose = 'commands' | 'signals' | 'waiting';

export interface ClientFactoryDeps {
  readonly target: RedisTarget;
  /** How long one connection attempt may take. */
  readonly attemptLimit: Ms;
}

/** Creates the ioredis clients of one connection; none is connected yet. */
export class ClientFactory {
  /** How many attempts were made; each starts with another sentinel or cluster node. */
  #attempts = 0;

  constructor(private readonly deps: ClientFactoryDeps) {}

  get place(): string {
    return this.deps.target.place;
  }

  /** Whether the client for commands is borrowed: its owner connects and closes it. */
  get borrows(): boolean {
    return this.deps.target.kind === 'borrowed';
  }

  /** Whether keys are distributed over nodes. */
  get isCluster(): boolean {
    const { target } = this.deps;
    return target.kind === 'cluster' || (target.kind === 'borrowed' && target.client.isCluster);
  }

  /** Whether the connections are encrypted. */
  get usesTls(): boolean {
    const { target } = this.deps;
    if (target.kind === 'borrowed') return (target.client.options as RedisServerOptions).tls !== undefined;
    const options = target.kind === 'cluster' ? target.options.redisOptions : target.options;
    return options?.tls !== undefined;
  }

  /** Whether sentinels determine the master; they may be wrong for a moment. */
  get hasSentinels(): boolean {
    const { target } = this.deps;
    return target.kind === 'node' && target.options.sentinels !== undefined;
  }

  /** Returns the client for commands. */
  commands(): RedisClient {
    const { target } = this.deps;
    if (target.kind === 'borrowed') return target.client;
    return target.kind === 'cluster' ? this.#cluster(target) : this.#node(target.options, 'commands');
  }

  /** Creates a client for one of the configured nodes of a cluster, a different one each time. */
  seed(): RedisClient | undefined {
    const { target } = this.deps;
    // Service records are not nodes.
    if (target.kind !== 'cluster' || target.options.useSRVRecords) return undefined;
    const node = target.seeds[this.#attempts++ % target.seeds.length];
    return this.#node({ ...target.options.redisOptions, ...node }, 'commands');
  }

  /** Creates a client for pub/sub; `main` is the connected client for commands. */
  signals(main: RedisClient): RedisClient {
    // Any node of a cluster receives everything that is published.
    const [node] = isClusterClient(main) ? main.nodes('master').filter(isUsable) : [];
    return this.#copy(node ?? main, 'signals');
  }

  /** Creates a client for waiting on `key`; `main` is the connected client for commands. */
  async waiting(main: RedisClient, key: string): Promise<RedisClient> {
    return this.#copy(isClusterClient(main) ? await this.#owner(main, key) : main, 'waiting');
  }

  #cluster({ seeds, options }: Extract<RedisTarget, { kind: 'cluster' }>): RedisClient {
    const cluster = new Cluster([...seeds] as ClusterNode[], {
      // One node cannot be replaced by another, so it gets all the available time.
      ...(seeds.length === 1 ? { slotsRefreshTimeout: this.#longerThanOurs } : {}),
      ...(options as ClusterOptions),
      lazyConnect: true,
      clusterRetryStrategy: () => null,
      // A command that was in flight when its node was lost may have been executed: its sender decides.
      retryDelayOnFailover: 0,
      enableOfflineQueue: true,
      enableAutoPipelining: false,
      scaleReads: 'master',
      redisOptions: {
        ...this.#defaults('commands', { connectTimeout: this.#longerThanOurs, ...options.redisOptions }),
        ...fixedOptions,
      },
    });
    return cluster;
  }

  #node(given: RedisServerOptions, purpose: Purpose): RedisClient {
    // The names were checked; ioredis judges the values.
    const options = given as RedisOptions;
    const { sentinels } = options;
    const first = sentinels ? this.#attempts++ % sentinels.length : 0;
    return new Redis({
      ...this.#defaults(purpose, options),
      ...(sentinels ? { sentinels: [...sentinels.slice(first), ...sentinels.slice(0, first)] } : {}),
      ...fixedOptions,
    });
  }

  #copy(client: RedisClient, purpose: Purpose): RedisClient {
    const { target } = this.deps;
    if (target.kind === 'node') return this.#node(target.options, purpose);
    return (client as RedisNodeClient).duplicate({
      ...this.#defaults(purpose, client.options),
      ...fixedOptions,
    });
  }

  /** Returns the user's options merged over ours, with a name that distinguishes the connections of one process. */
  #defaults(purpose: Purpose, options: RedisServerOptions): RedisOptions {
    const hasChoice = (options.sentinels?.length ?? 0) > 1;
    return {
      // The limit is enforced here, where a blocked event loop does not count.
      connectTimeout: 0,
      // A sentinel that does not answer gets less time while there is another one.
      sentinelCommandTimeout: hasChoice ? this.deps.attemptLimit / 4 : this.#longerThanOurs,
      ...(options as RedisOptions),
      connectionName: `${options.connectionName ?? 'nestjs-asynq'}:${purpose}`,
    };
  }

  /** A value for ioredis' own limits, which count a blocked event loop and so must exceed ours. */
  get #longerThanOurs(): number {
    return this.deps.attemptLimit * 6;
  }

  async #owner(main: RedisClusterClient, key: string): Promise<RedisClient> {
    const slot = Number(await main.callBuffer('CLUSTER', 'KEYSLOT', key));
    const address = main.slots[slot]?.[0];
    const owner = main.nodes('master').find((node) => nodeAddress(node) === address);
    if (owner === undefined) throw new BrokerUnavailableError(`No known node of ${this.place} holds "${key}"`);
    return owner;
  }
}

/**
 * Options that every client of ours has, whatever the user's options: nothing is queued, resent or opened by itself.
 */
const fixedOptions = {
  lazyConnect: true,
  retryStrategy: null,
  enableReadyCheck: false,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: null,
  reconnectOnError: null,
  sentinelRetryStrategy: () => null,
  disconnectTimeout: 200,
  disableClientInfo: true,
  enableAutoPipelining: false,
  showFriendlyErrorStack: false,
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  monitor: false,
  readOnly: false,
  stringNumbers: false,
  // As fast as protocol 3 for scripts, with a shorter handshake: it needs no HELLO.
  protocol: 2,
  replyMapping: 'legacy',
} as const satisfies RedisOptions;

function isUsable(node: RedisNodeClient): boolean {
  return node.status !== 'end' && node.status !== 'close';
}
