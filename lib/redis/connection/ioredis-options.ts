import type { ConnectionOptions } from 'node:tls';

/*
 * The options of ioredis as types of our own: the types of ioredis differ between versions, and the application may
 * have another copy of it. A test compares both lists with ioredis 5 and 6.
 */

/** Options of ioredis that are passed on, or have no effect here; ioredis checks their values. */
const furtherNodeOptions = [
  'Connector',
  'commandTimeout',
  'blockingTimeout',
  'blockingTimeoutGrace',
  'socketTimeout',
  'keepAlive',
  'noDelay',
  'disableClientInfo',
  'clientInfoTag',
  'autoResubscribe',
  'autoResendUnfulfilledCommands',
  'readOnly',
  'stringNumbers',
  'protocol',
  'replyMapping',
  'connectTimeout',
  'monitor',
  'maxRetriesPerRequest',
  'maxLoadingRetryTime',
  'enableAutoPipelining',
  'autoPipeliningIgnoredCommands',
  'offlineQueue',
  'commandQueue',
  'enableOfflineQueue',
  'enableReadyCheck',
  'lazyConnect',
  'scripts',
  'himportFieldsets',
  'keyPrefix',
  'showFriendlyErrorStack',
  'role',
  'preferredSlaves',
  'disconnectTimeout',
  'sentinelCommandTimeout',
  'enableTLSForSentinelMode',
  'natMap',
  'updateSentinels',
  'sentinelMaxConnections',
  'failoverDetector',
] as const;

const furtherClusterOptions = [
  'enableOfflineQueue',
  'enableReadyCheck',
  'scaleReads',
  'maxRedirections',
  'retryDelayOnFailover',
  'retryDelayOnClusterDown',
  'retryDelayOnTryAgain',
  'retryDelayOnMoved',
  'slotsRefreshTimeout',
  'slotsRefreshInterval',
  'shardedSubscribers',
  'lazyConnect',
  'useSRVRecords',
  'resolveSrv',
  'natMap',
  'enableAutoPipelining',
  'autoPipeliningIgnoredCommands',
  'keyPrefix',
  'showFriendlyErrorStack',
  'scripts',
  'himportFieldsets',
] as const;

type ReconnectDelay = ((times: number) => unknown) | null | undefined;

interface NamedNodeOptions {
  readonly host?: string | undefined;
  /** Numeric strings are accepted: ports often come from the environment. */
  readonly port?: number | string | undefined;
  readonly family?: number | undefined;
  /** The path of a Unix socket. */
  readonly path?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db?: number | undefined;
  readonly tls?: ConnectionOptions | undefined;
  /** Prefix of the connection names in `CLIENT LIST`; `nestjs-asynq` unless given. */
  readonly connectionName?: string | undefined;
  readonly sentinels?:
    | readonly {
        readonly host?: string | undefined;
        readonly port?: number | undefined;
        readonly family?: number | undefined;
      }[]
    | undefined;
  /** The sentinels' name of the master. */
  readonly name?: string | undefined;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  readonly sentinelTLS?: ConnectionOptions | undefined;
  readonly retryStrategy?: ReconnectDelay;
  readonly sentinelRetryStrategy?: ReconnectDelay;
  readonly sentinelReconnectStrategy?: ReconnectDelay;
  readonly reconnectOnError?: ((error: Error) => unknown) | null | undefined;
}

/** Options for one server, or for the master that sentinels know; every option of ioredis 5 and 6 is accepted. */
export interface RedisServerOptions
  extends NamedNodeOptions, Readonly<Partial<Record<(typeof furtherNodeOptions)[number], unknown>>> {}

interface NamedClusterOptions {
  /** Options of every node: user, password, TLS. */
  readonly redisOptions?: RedisServerOptions | undefined;
  readonly dnsLookup?:
    | ((
        hostname: string,
        callback: (error: NodeJS.ErrnoException | null | undefined, address: string, family?: number) => void,
      ) => void)
    | undefined;
  readonly clusterRetryStrategy?: ((times: number, reason?: Error) => unknown) | null | undefined;
  readonly clusterNodeRetryStrategy?: ReconnectDelay;
}

/** Options for a cluster as a whole; every option of ioredis 5 and 6 is accepted. */
export interface RedisClusterOptions
  extends NamedClusterOptions, Readonly<Partial<Record<(typeof furtherClusterOptions)[number], unknown>>> {}

// Does not compile unless it is complete.
const namedNodeOptions: Readonly<Record<keyof NamedNodeOptions, true>> = {
  host: true,
  port: true,
  family: true,
  path: true,
  username: true,
  password: true,
  db: true,
  tls: true,
  connectionName: true,
  sentinels: true,
  name: true,
  sentinelUsername: true,
  sentinelPassword: true,
  sentinelTLS: true,
  retryStrategy: true,
  sentinelRetryStrategy: true,
  sentinelReconnectStrategy: true,
  reconnectOnError: true,
};

const namedClusterOptions: Readonly<Record<keyof NamedClusterOptions, true>> = {
  redisOptions: true,
  dnsLookup: true,
  clusterRetryStrategy: true,
  clusterNodeRetryStrategy: true,
};

/** The names of {@link RedisServerOptions}. */
export const serverOptionNames: readonly string[] = [...Object.keys(namedNodeOptions), ...furtherNodeOptions];

/** The names of {@link RedisClusterOptions}. */
export const clusterOptionNames: readonly string[] = [...Object.keys(namedClusterOptions), ...furtherClusterOptions];
