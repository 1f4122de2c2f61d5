import type { Broker } from '../model/broker/broker.js';
import type { Clock, Random } from '../model/time/clock.js';
import type { ConnectionLimitOptions } from '../redis/connection-limits.js';
import { createRedisConnection } from '../redis/create-connection.js';
import { RedisBroker } from '../redis/redis-broker.js';
import type { RedisOption } from '../redis/redis-option.js';
import type { Logger } from './logger.js';

export type { RedisOption } from '../redis/redis-option.js';

/** What a broker works with besides where Redis is. */
export interface OpenBrokerDeps extends ConnectionLimitOptions {
  /** The real time: it measures a real network. */
  readonly clock: Clock;
  /** Spreads the reconnects of many processes. */
  readonly random?: Random;
  readonly logger: Logger;
}

/**
 * The broker behind a `redis` option; share one between client and server, and close it when both are done. Nothing is
 * connected before `open`, or the first use.
 *
 * @throws InvalidOptionError when the option is no way to a Redis.
 * @example
 * const broker = openBroker('redis://localhost:6379', { clock: systemClock, logger: silentLogger });
 */
export function openBroker(redis: RedisOption, deps: OpenBrokerDeps): Broker {
  const { logger, ...connection } = deps;
  return new RedisBroker(createRedisConnection(redis, { ...connection, warn: (message) => logger.warn(message) }));
}
