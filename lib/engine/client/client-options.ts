import type { Broker } from '../../model/broker/broker.js';
import { checkDuration, checkFunction, checkNames, checkObject, pathOf, refuse } from '../../model/options/check.js';
import { jsonCodec, type PayloadCodec } from '../../model/task/payload.codec.js';
import { type EnqueueOptions, layTaskOptions, noOptions, type TaskOptions } from '../../model/task/task-options.js';
import type { Clock, Random } from '../../model/time/clock.js';
import { type Duration, type Ms, ms } from '../../model/time/duration.js';
import { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { type Logger, silentLogger } from '../logger.js';
import type { RedisOption } from '../open-broker.js';
import { systemClock, systemRandom } from '../system-clock.js';

/** How an {@link AsynqClient} works; every option has a default. */
export interface ClientOptions {
  /** Where the tasks are stored; `'memory:'` keeps them in this process. Default `redis://localhost:6379`. */
  readonly redis?: RedisOption;
  /** A broker that is shared, instead of `redis`; the client never closes it. */
  readonly broker?: Broker;
  /** Turns payloads into bytes. Default JSON. */
  readonly codec?: PayloadCodec;
  /** How long a task may wait to be sent while Redis cannot be reached. Default `'5s'`. */
  readonly enqueueTimeout?: Duration;
  /** Options of every task; those of a task definition win over them, and those of a call over both. */
  readonly defaults?: EnqueueOptions;
  /** Default: none, nothing is logged. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The same, complete. */
export interface ResolvedClientOptions {
  readonly connection:
    { readonly kind: 'own'; readonly redis: RedisOption } | { readonly kind: 'borrowed'; readonly broker: Broker };
  readonly codec: PayloadCodec;
  readonly enqueueTimeout: Ms;
  readonly defaults: TaskOptions;
  readonly logger: ThrottledLogger;
  readonly clock: Clock;
  readonly random: Random;
}

const names: readonly (keyof ClientOptions)[] = [
  'redis',
  'broker',
  'codec',
  'enqueueTimeout',
  'defaults',
  'logger',
  'clock',
  'random',
];

const defaultRedis = 'redis://localhost:6379';
const defaultEnqueueTimeout = ms(5_000);

/**
 * Completes and checks a client's options. `path` is how they are called in errors: `AsynqClient:`.
 *
 * @throws InvalidOptionError
 */
export function resolveClientOptions(options: ClientOptions, path = 'AsynqClient:'): ResolvedClientOptions {
  checkNames({ path, value: options }, names);
  const { broker, codec, redis, enqueueTimeout, clock = systemClock } = options;
  if (broker !== undefined && redis !== undefined) {
    refuse({ path: pathOf(path, 'redis'), value: redis }, 'left out when broker is given');
  }
  return {
    connection: broker === undefined ? { kind: 'own', redis: redis ?? defaultRedis } : { kind: 'borrowed', broker },
    codec: codec === undefined ? jsonCodec : checkCodec(codec, pathOf(path, 'codec')),
    enqueueTimeout:
      enqueueTimeout === undefined
        ? defaultEnqueueTimeout
        : checkDuration({ path: pathOf(path, 'enqueueTimeout'), value: enqueueTimeout }, 'above-zero'),
    defaults: layTaskOptions(options.defaults, { path: pathOf(path, 'defaults'), under: noOptions }),
    logger: new ThrottledLogger({ logger: options.logger ?? silentLogger, clock }),
    clock,
    random: options.random ?? systemRandom,
  };
}

function checkCodec(codec: PayloadCodec, path: string): PayloadCodec {
  const parts = checkObject({ path, value: codec });
  for (const name of ['encode', 'decode']) checkFunction({ path: pathOf(path, name), value: parts[name] });
  return codec;
}
