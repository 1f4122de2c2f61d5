import type { Broker } from '../model/broker/broker.js';
import { checkFunction, checkObject, pathOf, refuse } from '../model/options/check.js';
import { jsonCodec, type PayloadCodec } from '../model/task/payload.codec.js';
import type { Clock, Random } from '../model/time/clock.js';
import { ThrottledLogger } from './lifecycle/throttled-logger.js';
import { type Logger, silentLogger } from './logger.js';
import {
  type ConnectionLimitOptions,
  createBroker,
  defaultRedisUrl,
  type RedisOption,
  resolveConnectionLimits,
} from './open-broker.js';
import { systemClock, systemRandom } from './system-clock.js';

/** Where the tasks are, and other options that a client, a server and a scheduler have in common. */
export interface ConnectionOptions {
  /**
   * Where the tasks are stored; `'memory:'` keeps them in this process. Default `redis://localhost:6379`. A value of
   * `undefined` is logged, because it usually means an environment variable that is not set.
   */
  readonly redis?: RedisOption;
  /** A shared broker, instead of `redis`; whoever created it closes it. Default: a connection of its own. */
  readonly broker?: Broker;
  /** Turns payloads and results into bytes and back. Default JSON. */
  readonly codec?: PayloadCodec | undefined;
  /** Where log lines go. Default: nowhere. */
  readonly logger?: Logger | undefined;
  /** Default: the real time. */
  readonly clock?: Clock | undefined;
  /** Default: `Math.random`. */
  readonly random?: Random | undefined;
}

/** {@link ConnectionOptions}, checked and complete. */
export interface ResolvedConnectionOptions {
  readonly connection:
    | { readonly kind: 'own'; readonly redis: RedisOption; readonly path: string }
    | { readonly kind: 'borrowed'; readonly broker: Broker };
  readonly codec: PayloadCodec;
  readonly logger: ThrottledLogger;
  readonly clock: Clock;
  readonly random: Random;
}

/** Names of the {@link ConnectionOptions}. */
export const connectionOptionNames = [
  'redis',
  'broker',
  'codec',
  'logger',
  'clock',
  'random',
] as const satisfies readonly (keyof ConnectionOptions)[];

/**
 * Checks and completes the connection options of a client, a server or a scheduler. `path` is the prefix of option
 * names in errors: `AsynqClient:`.
 *
 * @throws InvalidOptionError
 */
export function resolveConnectionOptions(options: ConnectionOptions, path: string): ResolvedConnectionOptions {
  const { broker, redis, codec, logger, clock = systemClock, random = systemRandom } = options;
  if (broker !== undefined && redis !== undefined) {
    refuse({ path: pathOf(path, 'redis'), value: redis }, 'left out when broker is given');
  }
  const throttled = new ThrottledLogger({
    logger: logger === undefined ? silentLogger : checkLogger(logger, pathOf(path, 'logger')),
    clock,
  });
  if (broker === undefined && isGivenAsUndefined(options)) throttled.warn(redisIsUndefined(path, defaultRedisUrl));
  return {
    connection:
      broker === undefined
        ? { kind: 'own', redis: redis ?? defaultRedisUrl, path: pathOf(path, 'redis') }
        : { kind: 'borrowed', broker },
    codec: resolveCodec(codec, pathOf(path, 'codec')),
    logger: throttled,
    clock,
    random,
  };
}

/** Returns options without the connection options. */
export function withoutConnection<T extends ConnectionOptions>(options: T): Omit<T, keyof ConnectionOptions> {
  const {
    redis: _redis,
    broker: _broker,
    codec: _codec,
    logger: _logger,
    clock: _clock,
    random: _random,
    ...own
  } = options;
  return own;
}

/** Returns the shared broker, or creates one. */
export function brokerOf(
  { connection, clock, logger }: ResolvedConnectionOptions,
  limits: ConnectionLimitOptions = {},
): Broker {
  if (connection.kind === 'borrowed') return connection.broker;
  const { redis, path } = connection;
  // Network timeouts use real time, whatever clock the tasks use.
  const real = { clock: systemClock, taskClock: clock, random: systemRandom };
  return createBroker(redis, { ...real, path, logger, limits: resolveConnectionLimits(limits, path) });
}

/** Whether the option `redis` is present but `undefined`, as when an environment variable is not set. */
export function isGivenAsUndefined(options: { readonly redis?: unknown }): boolean {
  return 'redis' in options && options.redis === undefined;
}

/** Returns the log line about that. */
export function redisIsUndefined(path: string, used: string): string {
  return `${pathOf(path, 'redis')} is undefined, so ${used} is used; leave the option out if that is intended`;
}

/** @throws InvalidOptionError when a method is missing. */
export function checkLogger(logger: Logger, path: string): Logger {
  const methods = checkObject({ path, value: logger });
  for (const level of ['debug', 'info', 'warn', 'error']) {
    checkFunction({ path: pathOf(path, level), value: methods[level] });
  }
  return logger;
}

/** Returns the given codec, by default JSON. @throws InvalidOptionError when a method is missing. */
export function resolveCodec(codec: PayloadCodec | undefined, path: string): PayloadCodec {
  if (codec === undefined) return jsonCodec;
  const methods = checkObject({ path, value: codec });
  for (const name of ['encode', 'decode']) checkFunction({ path: pathOf(path, name), value: methods[name] });
  return codec;
}
