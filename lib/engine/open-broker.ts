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

/** What a broker works with besides where Redis is. */
export interface OpenBrokerDeps extends ConnectionLimitOptions, BrokerDeps {}

/** What a broker works with besides where Redis is and its limits. */
interface BrokerDeps {
  /** The real time: it measures a real network. */
  readonly clock: Clock;
  /** The time that tasks live by, and with them a broker in memory. Default: `clock`. */
  readonly taskClock?: Clock | undefined;
  /** Spreads the reconnects of many processes. */
  readonly random?: Random | undefined;
  readonly logger: Logger;
}

/** The same, with limits that are resolved. */
export interface CreateBrokerDeps extends BrokerDeps {
  /** How the option is called in errors and warnings: `AsynqModule: redis`. */
  readonly path: string;
  /** Default: those that {@link resolveConnectionLimits} has. */
  readonly limits?: ConnectionLimits | undefined;
}

/**
 * The broker behind a `redis` option; share one between client and server, and close it when both are done. Nothing is
 * connected before `open`, or the first use. `'memory:'` makes a broker with a store of its own, `'memory:NAME'` one that
 * shares a store with all others of this name in this process.
 *
 * @throws InvalidOptionError when the option is neither a way to a Redis nor memory.
 * @example
 * const broker = openBroker('redis://localhost:6379', { clock: systemClock, logger: silentLogger });
 * @example
 * const broker = openBroker('memory:', { clock: systemClock, logger: silentLogger });
 */
export function openBroker(redis: RedisOption, deps: OpenBrokerDeps): Broker {
  const owner = 'openBroker:';
  return createBroker(redis, { ...deps, path: pathOf(owner, 'redis'), limits: resolveConnectionLimits(deps, owner) });
}

/** As {@link openBroker}, for those whose option it is. */
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
