import { MemoryBroker } from '../memory/memory-broker.js';
import { readMemoryOption } from '../memory/memory-option.js';
import { MemoryStore } from '../memory/memory-state.js';
import { openNamedMemory } from '../memory/named-stores.js';
import type { Broker } from '../model/broker/broker.js';
import { pathOf } from '../model/options/check.js';
import type { Clock, Random } from '../model/time/clock.js';
import {
  type ConnectionLimitOptions,
  type ConnectionLimits,
  resolveConnectionLimits,
} from '../redis/connection/connection-limits.js';
import { createRedisConnection } from '../redis/connection/create-connection.js';
import { RedisBroker } from '../redis/redis-broker.js';
import type { RedisOption } from '../redis/connection/redis-option.js';
import { ThrottledLogger } from './lifecycle/throttled-logger.js';
import type { Logger } from './logger.js';

export type { ConnectionLimitOptions, ConnectionLimits } from '../redis/connection/connection-limits.js';
export { defaultBlockingConnections, resolveConnectionLimits } from '../redis/connection/connection-limits.js';
export { defaultRedisUrl } from '../redis/connection/server-address.js';
export type { RedisOption } from '../redis/connection/redis-option.js';

/** Dependencies of {@link openBroker}, besides the location of Redis. */
export interface OpenBrokerDeps extends ConnectionLimitOptions, BrokerDeps {}

/** Dependencies of a broker, besides the location of Redis and its limits. */
interface BrokerDeps {
  /** The real time, for network timeouts. */
  readonly clock: Clock;
  /** The time of tasks and of a broker in memory. Default: `clock`. */
  readonly taskClock?: Clock | undefined;
  /** Spreads the reconnects of many processes. */
  readonly random?: Random | undefined;
  readonly logger: Logger;
}

/** Dependencies of a broker, with resolved limits. */
export interface CreateBrokerDeps extends BrokerDeps {
  /** Name of the option in errors and warnings: `AsynqModule: redis`. */
  readonly path: string;
  /** Default: those of {@link resolveConnectionLimits}. */
  readonly limits?: ConnectionLimits | undefined;
}

/**
 * Creates the broker for a `redis` option; share one between client and server, and close it when both are done. It
 * does not connect before `open`, or its first use. `'memory:'` creates a broker with its own store, `'memory:NAME'`
 * one that shares a store with all others of this name in this process.
 *
 * @throws InvalidOptionError when the option leads neither to a Redis server nor to memory.
 * @example
 * const broker = openBroker('redis://localhost:6379', { clock: systemClock, logger: silentLogger });
 * @example
 * const broker = openBroker('memory:', { clock: systemClock, logger: silentLogger });
 */
export function openBroker(redis: RedisOption, deps: OpenBrokerDeps): Broker {
  const owner = 'openBroker:';
  return createBroker(redis, { ...deps, path: pathOf(owner, 'redis'), limits: resolveConnectionLimits(deps, owner) });
}

/** Like {@link openBroker}, for owners of a `redis` option. */
export function createBroker(redis: RedisOption, deps: CreateBrokerDeps): Broker {
  const { taskClock = deps.clock, path, limits, clock, random } = deps;
  const logger = new ThrottledLogger(deps);
  const memory = readMemoryOption({ path, value: redis });
  if (memory !== undefined) {
    if (memory.name !== undefined) return openNamedMemory(memory.name, taskClock);
    return new MemoryBroker({ store: new MemoryStore(), clock: taskClock });
  }
  return new RedisBroker(
    createRedisConnection(redis, { path, limits, clock, random, warn: (message) => logger.warn(message) }),
  );
}
