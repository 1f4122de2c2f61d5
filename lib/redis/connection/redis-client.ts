import type { Duplex } from 'node:stream';
import { defaultAddress } from './server-address.js';

/**
 * What the library needs from a client that it is given: an ioredis `Redis` or `Cluster`, of version 5 or 6. The type
 * is structural, because the classes of two versions are not assignable to each other.
 */
export interface RedisClient {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: { readonly keyPrefix?: string | undefined; readonly stringNumbers?: boolean | undefined };
  connect(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  duplicate(...overrides: never[]): unknown;
  callBuffer(command: string, ...args: (string | number | Buffer)[]): Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** The additional members of a `Redis` that are needed to copy it. */
export interface RedisNodeClient extends RedisClient {
  readonly options: RedisClient['options'] & { readonly host?: string; readonly port?: number };
  readonly stream?: Duplex;
  /** The commands it has sent and awaits replies to. */
  readonly commandQueue?: { readonly length: number };
  duplicate(override: object): RedisNodeClient;
}

/** The additional members of a `Cluster` that are needed to find its nodes. */
export interface RedisClusterClient extends RedisClient {
  /** Hash slot -> `host:port` of its master and its replicas. */
  readonly slots: readonly (readonly string[] | undefined)[];
  nodes(role: 'master' | 'all'): readonly RedisNodeClient[];
}

/** Whether a client is for a cluster. */
export function isClusterClient(client: RedisClient): client is RedisClusterClient {
  return client.isCluster;
}

/** Returns `host:port` of a node, as in {@link RedisClusterClient.slots}. */
export function nodeAddress(node: RedisNodeClient): string {
  return `${node.options.host ?? ''}:${node.options.port ?? defaultAddress.port}`;
}

/** Returns the masters of a cluster in a stable order, or the one server. */
export function mastersOf(client: RedisClient): readonly RedisClient[] {
  if (!isClusterClient(client)) return [client];
  return [...client.nodes('master')].sort((one, other) => (nodeAddress(one) < nodeAddress(other) ? -1 : 1));
}
