import { AsynqClient } from '../engine/client/asynq-client.js';
import { joinClientOptions } from '../engine/client/client-options.js';
import { waitForBroker } from '../engine/lifecycle/wait-for-broker.js';
import { ThrottledLogger } from '../engine/lifecycle/throttled-logger.js';
import { redisIsUndefined, type ResolvedConnectionOptions } from '../engine/connection-options.js';
import type { Logger } from '../engine/logger.js';
import { GroupMux } from '../engine/maintenance/group-mux.js';
import { createBroker, type CreateBrokerDeps, type RedisOption } from '../engine/open-broker.js';
import type { PeriodicTasks } from '../engine/scheduler/periodic-tasks.js';
import { joinSchedulerOptions } from '../engine/scheduler/scheduler-options.js';
import { AsynqServer } from '../engine/server/asynq-server.js';
import { TaskMux } from '../engine/server/task-mux.js';
import { reportStorage } from '../engine/storage-reporter.js';
import { systemClock, systemRandom } from '../engine/system-clock.js';
import type { Broker } from '../model/broker/broker.js';
import { Resolved } from '../model/options/resolved.js';
import { describeError } from '../model/retry/describe-error.js';
import type { Clock, Random } from '../model/time/clock.js';
import type { ResolvedModuleOptions } from './asynq-module-options.js';
import { defaultInstanceName } from './asynq.tokens.js';
import { InstanceScheduler } from './instance-scheduler.js';
import { NestLogger } from './nest-logger.js';

/** What every instance is built from. A provider under `enginePartsToken` replaces it for the whole application. */
export interface EngineParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly openBroker: (redis: RedisOption, deps: CreateBrokerDeps) => Broker;
  /** Measures how long clients wait for Redis. Default: `clock`. */
  readonly clientClock?: Clock;
  /** Receives the engine's log lines, whatever an instance's options say. */
  readonly logger?: Logger;
}

/** The parts used outside tests. */
export const systemParts: EngineParts = {
  clock: systemClock,
  random: systemRandom,
  openBroker: createBroker,
};

/** One registration of the module: a broker, and the client, server, scheduler and mux that share it. */
export class AsynqInstance {
  readonly options: ResolvedModuleOptions;
  readonly logger: ThrottledLogger;
  readonly client: AsynqClient;
  readonly server: AsynqServer;
  readonly scheduler: InstanceScheduler;
  readonly mux = new TaskMux();
  /** The providers asked for tasks to schedule while the scheduler runs. */
  readonly periodicTasks: PeriodicTasks[] = [];
  /** Maps groups to the methods that aggregate them. */
  readonly groups = new GroupMux();
  /** Storage; tests inspect it. */
  readonly broker: Broker;
  readonly #clock: Clock;

  /** Does not connect. @throws InvalidOptionError when the option `redis` does not lead to a Redis server. */
  constructor(
    readonly name: string,
    { options, parts }: { readonly options: ResolvedModuleOptions; readonly parts: EngineParts },
  ) {
    const { clock, random, clientClock = clock } = parts;
    this.options = options;
    const logger =
      parts.logger ?? options.logger ?? new NestLogger(name === defaultInstanceName ? 'Asynq' : `Asynq:${name}`);
    this.logger = new ThrottledLogger({ logger, clock });
    this.#clock = clock;
    this.broker = parts.openBroker(options.redis, {
      path: 'AsynqModule: redis',
      limits: options.limits,
      // Network timeouts use real time, whatever clock the tasks use.
      clock: systemClock,
      taskClock: clock,
      random: systemRandom,
      logger: this.logger,
    });
    if (options.isRedisUndefined) this.logger.warn(redisIsUndefined('AsynqModule:', this.broker.describe()));
    const connection = (): ResolvedConnectionOptions => ({
      connection: { kind: 'borrowed', broker: this.broker },
      codec: options.codec,
      // Each component stops its own services.
      logger: new ThrottledLogger({ logger: this.logger, clock }),
      clock,
      random,
    });
    const { client, server, scheduler } = options;
    this.client = new AsynqClient(new Resolved(joinClientOptions(client, { ...connection(), clock: clientClock })));
    this.server = new AsynqServer(new Resolved({ options: server, connection: connection(), groups: this.groups }));
    this.scheduler = new InstanceScheduler(new Resolved(joinSchedulerOptions(scheduler.settings, connection())));
    this.mux.use(...options.middleware);
  }

  /** Whether this process may handle tasks of the instance, if it has handlers for any. */
  get mayHandle(): boolean {
    const { hasServer, role } = this.options;
    return hasServer && (role === 'all' || role === 'worker');
  }

  /** Whether this process may enqueue tasks of the instance on schedules, if it has any. */
  get maySchedule(): boolean {
    const { hasScheduler, role } = this.options;
    return hasScheduler && (role === 'all' || role === 'scheduler');
  }

  /**
   * Connects within `connectTimeout` or, with `waitForRedis`, however long it takes.
   *
   * @throws BrokerUnavailableError, UnsupportedRedisError; the reason of `giveUp` when that is aborted.
   */
  async open(giveUp: AbortSignal): Promise<void> {
    const tries = this.options.waitForRedis ? 'until-open' : 'once';
    await waitForBroker(this.broker, { clock: this.#clock, logger: this.logger, signal: giveUp, tries });
  }

  /**
   * Logs what storage found and worked around where no server runs to do so; the server's events announce it either
   * way.
   */
  reportStorage(): void {
    reportStorage({ broker: this.broker, logger: this.logger, events: this.server.events });
  }

  /** Closes the client and the broker; failures are logged. Idempotent. */
  async close(): Promise<void> {
    for (const part of [this.client, this.broker]) {
      await part.close().catch((error: unknown) => {
        this.logger.error(`Closing the connections failed: ${describeError(error)}`);
      });
    }
    this.logger.stop();
  }
}
