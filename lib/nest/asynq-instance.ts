import { AsynqClient } from '../engine/client/asynq-client.js';
import { openBrokerAloud } from '../engine/lifecycle/open-broker-aloud.js';
import { ThrottledLogger } from '../engine/lifecycle/throttled-logger.js';
import { redisIsUndefined } from '../engine/connection-options.js';
import type { Logger } from '../engine/logger.js';
import { GroupMux } from '../engine/maintenance/group-mux.js';
import { openBroker, type OpenBrokerDeps, type RedisOption } from '../engine/open-broker.js';
import type { PeriodicTasks } from '../engine/scheduler/periodic-tasks.js';
import { AsynqServer } from '../engine/server/asynq-server.js';
import { TaskMux } from '../engine/server/task-mux.js';
import { reportStorage } from '../engine/storage-reporter.js';
import { systemClock, systemRandom } from '../engine/system-clock.js';
import type { Broker } from '../model/broker/broker.js';
import { InvalidOptionError } from '../model/errors/option-errors.js';
import { describeError } from '../model/retry/describe-error.js';
import type { Clock, Random } from '../model/time/clock.js';
import type { ResolvedModuleOptions } from './asynq-module-options.js';
import { defaultInstanceName } from './asynq.tokens.js';
import { InstanceScheduler } from './instance-scheduler.js';
import { NestLogger } from './nest-logger.js';

/** What every instance stands on. A provider under `enginePartsToken` replaces it for the whole application. */
export interface EngineParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly openBroker: (redis: RedisOption, deps: OpenBrokerDeps) => Broker;
  /** How long clients wait for Redis is measured by this one; without it by `clock`. */
  readonly clientClock?: Clock;
  /** Takes the engine's log lines, whatever an instance's options say. */
  readonly logger?: Logger;
}

/** The real thing. */
export const systemParts: EngineParts = { clock: systemClock, random: systemRandom, openBroker };

/** One registration of the module: a broker, and the client, server, scheduler and mux that share it. */
export class AsynqInstance {
  readonly options: ResolvedModuleOptions;
  readonly logger: ThrottledLogger;
  readonly client: AsynqClient;
  readonly server: AsynqServer;
  readonly scheduler: InstanceScheduler;
  readonly mux = new TaskMux();
  /** What is asked for tasks to schedule, while the scheduler runs. */
  readonly periodicTasks: PeriodicTasks[] = [];
  /** Which method aggregates which groups. */
  readonly groups = new GroupMux();
  /** Storage; a test looks at it. */
  readonly broker: Broker;
  readonly #clock: Clock;

  /** Connects to nothing. @throws InvalidOptionError when the option `redis` does not lead to a Redis. */
  constructor(
    readonly name: string,
    { options, parts }: { readonly options: ResolvedModuleOptions; readonly parts: EngineParts },
  ) {
    const { clock, random, clientClock = clock } = parts;
    const { codec } = options;
    this.options = options;
    const logger =
      parts.logger ?? options.logger ?? new NestLogger(name === defaultInstanceName ? 'Asynq' : `Asynq:${name}`);
    this.logger = new ThrottledLogger({ logger, clock });
    this.#clock = clock;
    this.broker = makeBroker(options, { parts, logger: this.logger });
    if (options.isRedisUndefined) this.logger.warn(redisIsUndefined('AsynqModule:', this.broker.describe()));
    const shared = {
      broker: this.broker,
      clock,
      random,
      logger: this.logger,
      ...(codec === undefined ? {} : { codec }),
    };
    this.client = new AsynqClient({ ...options.client, ...shared, clock: clientClock });
    // The broker is open when the server starts: nothing is left to wait for.
    this.server = new AsynqServer({ ...options.server, waitForRedis: false, aggregator: this.groups, ...shared });
    const { defaults, strictPayload } = options.client;
    this.scheduler = new InstanceScheduler({
      ...options.scheduler?.engine,
      ...(defaults === undefined ? {} : { defaults }),
      strictPayload,
      ...shared,
    });
    this.mux.use(...options.middleware);
  }

  /** Whether this process may handle tasks of the instance, if it has handlers for any. */
  get mayHandle(): boolean {
    const { server, role } = this.options;
    return server !== undefined && (role === 'all' || role === 'worker');
  }

  /** Whether this process may enqueue tasks of the instance on schedules, if it has any. */
  get maySchedule(): boolean {
    const { scheduler, role } = this.options;
    return scheduler !== undefined && (role === 'all' || role === 'scheduler');
  }

  /**
   * Connects, within `connectTimeout` or, with `waitForRedis`, within as long as it takes.
   *
   * @throws BrokerUnavailableError, UnsupportedRedisError; the reason of `giveUp` when that is aborted.
   */
  async open(giveUp: AbortSignal): Promise<void> {
    const tries = this.options.waitForRedis ? 'until-open' : 'once';
    await openBrokerAloud(this.broker, { clock: this.#clock, logger: this.logger, signal: giveUp, tries });
  }

  /** Says what storage met and worked around, where no server runs that would; announced by the server's events all the same. */
  reportStorage(): void {
    reportStorage({ broker: this.broker, logger: this.logger, events: this.server.events });
  }

  /** Closes the client and the broker; what fails is logged. Idempotent. */
  async close(): Promise<void> {
    for (const part of [this.client, this.broker]) {
      await part.close().catch((error: unknown) => {
        this.logger.error(`Closing the connections failed: ${describeError(error)}`);
      });
    }
    this.logger.stop();
  }
}

function makeBroker(
  options: ResolvedModuleOptions,
  { parts, logger }: { readonly parts: EngineParts; readonly logger: Logger },
): Broker {
  const { connectTimeout, commandTimeout } = options;
  // The network's time is the real one, whatever clock the tasks live by.
  const real = { clock: systemClock, taskClock: parts.clock, random: systemRandom };
  // A server may have no connection to wait on, a broker has at least room for one.
  const blockingConnections = Math.max(1, options.blockingConnections);
  try {
    return parts.openBroker(options.redis, {
      ...real,
      logger,
      connectTimeout,
      commandTimeout,
      blockingConnections,
    });
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error;
    const { path, value, allowed, message } = error;
    throw new InvalidOptionError({ path: `AsynqModule: ${path}`, value, allowed, message: `AsynqModule: ${message}` });
  }
}
