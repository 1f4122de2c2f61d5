import { MemoryBroker } from '../memory/memory-broker.js';
import { readMemoryOption } from '../memory/memory-option.js';
import { MemoryStore } from '../memory/memory-state.js';
import { openNamedMemory } from '../memory/named-stores.js';
import type { Broker } from '../model/broker/broker.js';
import type { Clock, Random } from '../model/time/clock.js';
import type { ConnectionLimitOptions } from '../redis/connection/connection-limits.js';
import { createRedisConnection } from '../redis/connection/create-connection.js';
import { RedisBroker } from '../redis/redis-broker.js';
import type { RedisOption } from '../redis/connection/redis-option.js';
import { ThrottledLogger } from './lifecycle/throttled-logger.js';
import type { Logger } from './logger.js';

export { defaultBlockingConnections } from '../redis/connection/connection-limits.js';
export { defaultRedisUrl } from '../redis/connection/server-address.js';
export type { RedisOption } from '../redis/connection/redis-option.js';

/** What a broker works with besides where Redis is. */
export interface OpenBrokerDeps extends ConnectionLimitOptions {
  /** The real time: it measures a real network. */
  readonly clock: Clock;
  /** The time that tasks live by, and with them a broker in memory. Default: `clock`. */
  readonly taskClock?: Clock | undefined;
  /** Spreads the reconnects of many processes. */
  readonly random?: Random | undefined;
  readonly logger: Logger;
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
  const { taskClock = deps.clock, ...connection } = deps;
  const logger = new ThrottledLogger(deps);
  const memory = readMemoryOption({ path: 'redis', value: redis });
  if (memory !== undefined) {
    if (memory.name !== undefined) return openNamedMemory(memory.name, taskClock);
    return new MemoryBroker({ store: new MemoryStore(), clock: taskClock });
  }
  return new RedisBroker(createRedisConnection(redis, { ...connection, warn: (message) => logger.warn(message) }));
}
