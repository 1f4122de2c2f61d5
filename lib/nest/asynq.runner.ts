import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { ExternalContextCreator, ModuleRef } from '@nestjs/core';
import type { Clock } from '../model/time/clock.js';
import type { AsynqInstance } from './asynq-instance.js';
import type { AsynqInstances } from './asynq-instances.js';
import { checkDefinitions } from './discovery/check-definitions.js';
import type { DecoratedMethods } from './discovery/decorated-methods.js';
import { explore } from './discovery/explore.js';
import { NestLogger } from './nest-logger.js';
import { ProcessSignals } from './process-signals.js';
import { registerDefinitions } from './register-definitions.js';
import { ScheduleRunner } from './schedule.runner.js';

/** Dependencies of {@link AsynqRunner}. */
export interface AsynqRunnerDeps {
  readonly instances: AsynqInstances;
  readonly methods: DecoratedMethods;
  readonly moduleRef: ModuleRef;
  readonly external: ExternalContextCreator;
  readonly clock: Clock;
  /** Releases the application's port before handlers are drained, in development. */
  readonly freePort: (() => void) | undefined;
}

/**
 * Ties servers and schedulers to Nest's life cycle. Its module's hooks run last at the start and first at the stop, so
 * handlers run only while every provider of the application is alive.
 */
export class AsynqRunner implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #signals: ProcessSignals;
  /** Instances whose servers were started. */
  readonly #started: AsynqInstance[] = [];
  readonly #schedules = new ScheduleRunner();
  #drained: Promise<void> | undefined;

  constructor(private readonly deps: AsynqRunnerDeps) {
    const stopFetching = async (): Promise<void> => {
      await Promise.allSettled(this.#started.map(({ server }) => server.stop()));
    };
    this.#signals = new ProcessSignals({ clock: deps.clock, logger: new NestLogger('Asynq'), stopFetching });
  }

  /**
   * Finds handlers and schedules, then starts the servers and schedulers that have any.
   *
   * @throws HandlerConflictError, InvalidOptionError when a handler or a schedule is declared wrongly;
   * BrokerUnavailableError when a server cannot start. Whatever was started or opened is closed first.
   */
  async onApplicationBootstrap(): Promise<void> {
    const { instances, methods, moduleRef, external } = this.deps;
    try {
      const definitions = await explore(methods, moduleRef);
      checkDefinitions(definitions, instances.names);
      registerDefinitions(definitions, { instances: instances.all, moduleRef, external });
      await Promise.all(instances.all.map((instance) => this.#start(instance)));
      if (this.#started.length > 0) this.#signals.running();
      for (const instance of instances.all) await this.#schedules.start(instance);
    } catch (error) {
      await this.#drain();
      await instances.close();
      throw error;
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.#drain();
  }

  async #start(instance: AsynqInstance): Promise<void> {
    if (!this.#handles(instance)) return instance.reportStorage();
    this.#started.push(instance);
    await instance.server.start(instance.mux);
  }

  /** Whether the server of an instance must run; if not, the log says why. */
  #handles(instance: AsynqInstance): boolean {
    const { mux, groups, logger, options, broker } = instance;
    const using = `Using ${broker.describe()}`;
    if (!options.hasServer) {
      logger.info(using);
    } else if (!instance.mayHandle) {
      logger.info(`${using}: the role is "${options.role}", so this process handles no tasks`);
    } else if (mux.patterns.length > 0 || !groups.isEmpty) {
      return true;
    } else if (options.role === 'worker') {
      logger.warn(`${using}: the role is "worker" but no task handler was found, so the server does not start`);
    } else {
      logger.info(`${using}: no task handler was found, so the server does not start`);
    }
    return false;
  }

  // Nest may close an application twice concurrently; both calls wait for the same shutdown.
  #drain(): Promise<void> {
    return (this.#drained ??= this.#shutDown());
  }

  async #shutDown(): Promise<void> {
    this.#signals.draining();
    if (this.#started.length > 0) this.deps.freePort?.();
    await this.#schedules.stop();
    await Promise.allSettled(this.#started.map(({ server }) => server.shutdown()));
    this.#signals.ended();
  }
}
