import type { Duplex } from 'node:stream';
import { defaultAddress } from './server-address.js';

/**
 * What the library needs of a client that it is handed: an ioredis `Redis` or `Cluster`, of version 5 or 6. Structural,
 * because the classes of two versions are not assignable to each other.
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

/** The further parts of a `Redis` that copies are made with. */
export interface RedisNodeClient extends RedisClient {
  readonly options: RedisClient['options'] & { readonly host?: string; readonly port?: number };
  readonly stream?: Duplex;
  /** What it has sent and awaits replies to. */
  readonly commandQueue?: { readonly length: number };
  duplicate(override: object): RedisNodeClient;
}

/** The further parts of a `Cluster` that its nodes are found with. */
export interface RedisClusterClient extends RedisClient {
  /** Hash slot -> `host:port` of its master and its replicas. */
  readonly slots: readonly (readonly string[] | undefined)[];
  nodes(role: 'master' | 'all'): readonly RedisNodeClient[];
}

/** Whether a client is for a cluster. */
export function isClusterClient(client: RedisClient): client is RedisClusterClient {
  return client.isCluster;
}

/** `host:port` of a node, as {@link RedisClusterClient.slots} writes it. */
export function nodeAddress(node: RedisNodeClient): string {
  return `${node.options.host ?? ''}:${node.options.port ?? defaultAddress.port}`;
}

/** The masters of a cluster in a stable order, or the one server. */
export function mastersOf(client: RedisClient): readonly RedisClient[] {
  if (!isClusterClient(client)) return [client];
  return [...client.nodes('master')].sort((one, other) => (nodeAddress(one) < nodeAddress(other) ? -1 : 1));
}
