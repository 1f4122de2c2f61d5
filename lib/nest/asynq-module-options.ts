import type { InjectionToken, ModuleMetadata, OptionalFactoryDependency, Type } from '@nestjs/common';
import {
  type ClientSettings,
  type ResolvedClientSettings,
  resolveClientSettings,
} from '../engine/client/client-options.js';
import { checkLogger, isGivenAsUndefined, resolveCodec } from '../engine/connection-options.js';
import type { Logger } from '../engine/logger.js';
import type { Middleware } from '../engine/middleware.js';
import {
  type ConnectionLimits,
  defaultRedisUrl,
  type RedisOption,
  resolveConnectionLimits,
} from '../engine/open-broker.js';
import {
  type ResolvedServerOptions,
  resolveServerOptions,
  type ServerOptions,
} from '../engine/server/server-options.js';
import { checkBoolean, checkFunction, checkNames, checkObject, checkOneOf, refuse } from '../model/options/check.js';
import type { PayloadCodec } from '../model/task/payload.codec.js';
import type { Duration } from '../model/time/duration.js';
import type { EnhancerKind } from './execution/global-enhancers.js';
import {
  type ModuleSchedulerOptions,
  type ResolvedModuleSchedulerOptions,
  resolveModuleSchedulerOptions,
} from './module-scheduler-options.js';

/** Which parts of the code's work a process does. */
export type AsynqRole = 'producer' | 'worker' | 'scheduler' | 'all';

/** Options of one instance of {@link AsynqModule}; each has a default. */
export interface AsynqModuleOptions {
  /** The Redis server, or `'memory:'`. Default: `ASYNQ_REDIS_URL`, else `REDIS_URL`, else `redis://localhost:6379`. */
  readonly redis?: RedisOption;
  /**
   * How tasks are handled; `false` for an application that only enqueues. Default `{}`: the defaults of {@link
   * ServerOptions}.
   */
  readonly server?: ServerOptions | false | undefined;
  /** How tasks are enqueued on schedules; `false` for an application that never does. Default `{}`. */
  readonly scheduler?: ModuleSchedulerOptions | false | undefined;
  /** How tasks are enqueued. Its `defaults` also apply to schedules. Default `{}`. */
  readonly client?: ModuleClientOptions | undefined;
  /** Wraps every handler; the first is the outermost. Default: none. */
  readonly middleware?: readonly Middleware[] | undefined;
  /**
   * Which of the application's own enhancers, such as `APP_GUARD` and `useGlobalGuards`, apply to handlers: all of
   * them, or those kinds. Pipes always do. Default none of the others, since they are mostly written for HTTP.
   */
  readonly globalEnhancers?: boolean | readonly EnhancerKind[] | undefined;
  /** Turns payloads and results into bytes and back. Default JSON. */
  readonly codec?: PayloadCodec | undefined;
  /**
   * What this process does: `'producer'` only enqueues, `'worker'` handles tasks, too, `'scheduler'` enqueues on
   * schedules and handles nothing, `'all'` does everything. Default: `ASYNQ_ROLE`, else `'all'`.
   */
  readonly role?: AsynqRole | undefined;
  /** Whether the start of the application waits for Redis however long it takes, instead of failing. Default false. */
  readonly waitForRedis?: boolean | undefined;
  /** How long the start of the application waits for Redis before it fails. Default `'10s'`. */
  readonly connectTimeout?: Duration | undefined;
  /**
   * How long a command waits while the connection is down, and how long Redis may send nothing before the connection
   * counts as lost; time in which bytes move on it does not count. Default `'5s'`.
   */
  readonly commandTimeout?: Duration | undefined;
  /** Where log lines go. Default: Nest's logger. */
  readonly logger?: Logger | undefined;
}

/** Client options that the instance does not set itself. */
export type ModuleClientOptions = ClientSettings;

/** Options that cannot come from a factory, because they decide how the module is wired. */
export interface AsynqInstanceOptions {
  /**
   * Name of the instance, for `@InjectClient(name)` and `@TaskHandler(pattern, { instance: name })`. Default: the
   * instance that is used wherever none is named.
   */
  readonly name?: string | undefined;
  /** Whether every module can inject the client without importing this one. Default true. */
  readonly isGlobal?: boolean | undefined;
}

/** Creates the options of an instance; a class named in {@link AsynqModuleAsyncOptions}. */
export interface AsynqOptionsFactory {
  createAsynqOptions(): AsynqModuleOptions | Promise<AsynqModuleOptions>;
}

/** Options of an instance that come from other providers: exactly one of the three `use...` must be given. */
export interface AsynqModuleAsyncOptions extends AsynqInstanceOptions, Pick<ModuleMetadata, 'imports'> {
  /** Dependencies passed to `useFactory`. Default: none. */
  readonly inject?: readonly (InjectionToken | OptionalFactoryDependency)[] | undefined;
  /** Creates the options. Default: one of the others does. */
  readonly useFactory?: ((...dependencies: never[]) => AsynqModuleOptions | Promise<AsynqModuleOptions>) | undefined;
  /** A class that creates the options and is instantiated for that purpose. Default: one of the others does. */
  readonly useClass?: Type<AsynqOptionsFactory> | undefined;
  /** A provider of an imported module that creates the options. Default: one of the others does. */
  readonly useExisting?: InjectionToken<AsynqOptionsFactory> | undefined;
}

/** Module options, checked and complete. */
export interface ResolvedModuleOptions {
  readonly redis: RedisOption;
  /** Whether the option `redis` was present but `undefined`. */
  readonly isRedisUndefined: boolean;
  readonly limits: ConnectionLimits;
  readonly server: ResolvedServerOptions;
  /** Whether this process may handle tasks. */
  readonly hasServer: boolean;
  readonly scheduler: ResolvedModuleSchedulerOptions;
  /** Whether this process may run schedules. */
  readonly hasScheduler: boolean;
  readonly client: ResolvedClientSettings;
  readonly middleware: readonly Middleware[];
  /** Always contains pipes. */
  readonly globalEnhancers: ReadonlySet<EnhancerKind>;
  readonly codec: PayloadCodec;
  readonly role: AsynqRole;
  readonly waitForRedis: boolean;
  readonly logger: Logger | undefined;
}

const optionNames = [
  'redis',
  'server',
  'scheduler',
  'client',
  'middleware',
  'globalEnhancers',
  'codec',
  'role',
  'waitForRedis',
  'connectTimeout',
  'commandTimeout',
  'logger',
];
const enhancerKinds = ['guards', 'interceptors', 'filters', 'pipes'] as const satisfies readonly EnhancerKind[];
const roles: readonly AsynqRole[] = ['producer', 'worker', 'scheduler', 'all'];
const owner = 'AsynqModule:';

/**
 * Checks the given options and fills in the defaults.
 *
 * @throws InvalidOptionError with the option's path, its value and what is allowed.
 */
export function resolveModuleOptions(
  input: AsynqModuleOptions,
  env: Readonly<Record<string, string | undefined>>,
): ResolvedModuleOptions {
  checkGivenBesideFactory(checkObject({ path: `${owner} options`, value: input }));
  checkNames({ path: owner, value: input }, optionNames);
  const { server: givenServer = {}, scheduler: givenScheduler = {}, client: givenClient = {}, middleware = [] } = input;
  const { connectTimeout, commandTimeout, codec, logger } = input;
  const server = resolveServerOptions(givenServer === false ? {} : givenServer, `${owner} server`);
  const client = resolveClientSettings(givenClient, `${owner} client`);
  const scheduler = givenScheduler === false ? {} : givenScheduler;
  const { waitForRedis = server.waitForRedis } = input;
  const { blockingConnections } = server;
  const redisFromEnv = env['ASYNQ_REDIS_URL'] || env['REDIS_URL'] || defaultRedisUrl;
  return {
    redis: input.redis === undefined ? redisFromEnv : input.redis,
    isRedisUndefined: isGivenAsUndefined(input),
    limits: resolveConnectionLimits({ connectTimeout, commandTimeout, blockingConnections }, owner),
    // The broker is open when the server starts, so there is nothing to wait for.
    server: { ...server, waitForRedis: false },
    hasServer: givenServer !== false,
    scheduler: resolveModuleSchedulerOptions(scheduler, { path: `${owner} scheduler`, client }),
    hasScheduler: givenScheduler !== false,
    client,
    middleware: checkMiddleware(middleware),
    globalEnhancers: resolveGlobalEnhancers(input.globalEnhancers ?? false),
    codec: resolveCodec(codec, `${owner} codec`),
    role: resolveRole(input.role, env),
    waitForRedis: checkBoolean({ path: `${owner} waitForRedis`, value: waitForRedis }),
    logger: logger === undefined ? undefined : checkLogger(logger, `${owner} logger`),
  };
}

// The module is wired before a factory runs, so these options would be lost.
function checkGivenBesideFactory(input: Readonly<Record<string, unknown>>): void {
  for (const name of ['name', 'isGlobal'] satisfies readonly (keyof AsynqInstanceOptions)[]) {
    const value = input[name];
    if (value !== undefined) refuse({ path: `${owner} ${name}`, value }, 'given to forRootAsync itself');
  }
}

function resolveRole(role: unknown, env: Readonly<Record<string, string | undefined>>): AsynqRole {
  if (role !== undefined) return checkOneOf({ path: `${owner} role`, value: role }, roles);
  const fromEnv = env['ASYNQ_ROLE'];
  if (fromEnv === undefined || fromEnv === '') return 'all';
  return checkOneOf({ path: `${owner} ASYNQ_ROLE`, value: fromEnv }, roles);
}

function checkMiddleware(middleware: unknown): readonly Middleware[] {
  const path = `${owner} middleware`;
  if (!Array.isArray(middleware)) return refuse({ path, value: middleware }, 'a list of functions');
  return middleware.map((value: Middleware, index) => checkFunction({ path: `${path}[${index}]`, value }));
}

function resolveGlobalEnhancers(given: boolean | readonly EnhancerKind[]): ReadonlySet<EnhancerKind> {
  const path = `${owner} globalEnhancers`;
  if (typeof given === 'boolean') return new Set(given ? enhancerKinds : ['pipes']);
  if (!Array.isArray(given)) return refuse({ path, value: given }, 'true, false or a list of kinds');
  const kinds = given.map((value: string, index) => checkOneOf({ path: `${path}[${index}]`, value }, enhancerKinds));
  return new Set([...kinds, 'pipes']);
}
