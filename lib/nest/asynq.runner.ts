import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { wrap } from '../engine/server/task-mux.js';
import type { Clock } from '../model/time/clock.js';
import type { AsynqInstance } from './asynq-instance.js';
import type { AsynqInstances } from './asynq-instances.js';
import { checkDefinitions, type Definitions } from './discovery/check-definitions.js';
import type { DecoratedMethods } from './discovery/decorated-methods.js';
import { exploreEvents } from './discovery/event.explorer.js';
import { exploreCrons, handlersOf } from './discovery/cron.explorer.js';
import { exploreHandlers } from './discovery/handler.explorer.js';
import { explorePeriodicTasks } from './discovery/periodic-tasks.explorer.js';
import { bindEvent } from './execution/event-method.js';
import { globalEnhancersOf } from './execution/global-enhancers.js';
import { HandlerInvoker } from './execution/handler.invoker.js';
import { NestLogger } from './nest-logger.js';
import { ProcessSignals } from './process-signals.js';
import { registerCrons } from './register-crons.js';
import { ScheduleRunner } from './schedule.runner.js';
import { registerAggregators } from './register-aggregators.js';

/** What the runner works with. */
export interface AsynqRunnerDeps {
  readonly instances: AsynqInstances;
  readonly methods: DecoratedMethods;
  readonly moduleRef: ModuleRef;
  readonly external: ExternalContextCreator;
  readonly clock: Clock;
}

/**
 * Ties servers and schedulers to Nest's life. Its module's hooks come last at the start and first at the stop, so
 * handlers run only while every provider of the application is alive.
 */
export class AsynqRunner implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #signals: ProcessSignals;
  /** Instances whose servers were told to start. */
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
   * Finds handlers and schedules and starts the servers, then the schedulers, that have some.
   *
   * @throws HandlerConflictError, InvalidOptionError when a handler or a schedule is declared wrongly;
   * BrokerUnavailableError when a server cannot start. Whatever was started or opened is closed before.
   */
  async onApplicationBootstrap(): Promise<void> {
    const { instances } = this.deps;
    try {
      const definitions = await this.#explore();
      this.#register(definitions);
      await registerAggregators(this.deps);
      await Promise.all(instances.all.map((instance) => this.#start(instance)));
      if (this.#started.length > 0) this.#signals.running();
      for (const instance of instances.all) await this.#schedules.start(instance, definitions.periodicTasks);
    } catch (error) {
      await this.#drain();
      await instances.close();
      throw error;
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.#drain();
  }

  async #explore(): Promise<Definitions> {
    const { methods, moduleRef, instances } = this.deps;
    const declared = await exploreHandlers(methods, moduleRef);
    const crons = await exploreCrons(methods, moduleRef);
    const handlers = [...declared, ...handlersOf(crons, declared)];
    const periodicTasks = await explorePeriodicTasks(methods, moduleRef);
    const events = await exploreEvents(methods, moduleRef);
    const definitions = { handlers, crons, periodicTasks, events, instances: instances.names };
    checkDefinitions(definitions);
    return definitions;
  }

  #register({ handlers, crons, events }: Definitions): void {
    const { instances, external, moduleRef } = this.deps;
    const invoker = new HandlerInvoker(external, globalEnhancersOf(moduleRef));
    for (const instance of instances.all) {
      for (const handler of handlers.filter((one) => one.instance === instance.name)) {
        const { pattern, match, middleware } = handler;
        instance.mux.handle(pattern, wrap(invoker.bind(handler), middleware), { match });
      }
      for (const event of events.filter((one) => one.instance === instance.name)) {
        instance.server.events.on(event.event, bindEvent(event, instance.logger));
      }
      registerCrons(instance, crons);
    }
  }

  async #start(instance: AsynqInstance): Promise<void> {
    const { mux, groups, server, logger, options } = instance;
    if (options.server === undefined) return;
    if (!instance.mayHandle) return logger.info(`The role is "${options.role}": this process handles no tasks`);
    if (mux.patterns.length === 0 && groups.isEmpty)
      return logger.info('No task handler was found: the server does not start');
    this.#started.push(instance);
    await server.start(mux);
  }

  // Nest may close an application twice at once; both wait for the same end.
  #drain(): Promise<void> {
    return (this.#drained ??= this.#shutDown());
  }

  async #shutDown(): Promise<void> {
    this.#signals.draining();
    await this.#schedules.stop();
    await Promise.allSettled(this.#started.map(({ server }) => server.shutdown()));
    this.#signals.ended();
  }
}
