import { PeriodicTasks } from '../engine/scheduler/periodic-tasks.js';
import type { AsynqInstance } from './asynq-instance.js';
import type { PeriodicTasksDefinition } from './discovery/periodic-tasks.explorer.js';
import { periodicTaskProvider } from './execution/periodic-tasks-method.js';

/** Starts the schedulers once handlers can run, and stops them before handlers are drained. */
export class ScheduleRunner {
  /** Instances whose schedulers may run. */
  readonly #instances: AsynqInstance[] = [];
  readonly #periodicTasks: PeriodicTasks[] = [];

  /**
   * Lets the scheduler of an instance run, with what its providers list.
   *
   * @throws what a provider of periodic tasks throws when it is asked first.
   */
  async start(instance: AsynqInstance, definitions: readonly PeriodicTasksDefinition[]): Promise<void> {
    const { scheduler, options, logger } = instance;
    const providers = definitions.filter((definition) => definition.instance === instance.name);
    if (!instance.maySchedule) {
      const isAsked = options.scheduler !== undefined && (scheduler.entries().length > 0 || providers.length > 0);
      if (isAsked) logger.info(`The role is "${options.role}": this process schedules nothing`);
      return;
    }
    this.#instances.push(instance);
    for (const definition of providers) {
      const { syncInterval } = definition;
      const tasks = new PeriodicTasks({ scheduler, syncInterval, provider: periodicTaskProvider(definition) });
      this.#periodicTasks.push(tasks);
      await tasks.start();
    }
    await scheduler.allowToRun();
    warnOfUnserved(instance);
  }

  /** Nothing is enqueued on schedules any more. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.#periodicTasks.map((tasks) => tasks.stop()));
    await Promise.allSettled(this.#instances.map(({ scheduler }) => scheduler.shutdown()));
  }
}

// In a process that does everything it is a queue forgotten in `server.queues`, or another service's on purpose.
function warnOfUnserved({ options, server, scheduler, mux, logger }: AsynqInstance): void {
  if (options.role !== 'all' || options.server === undefined) return;
  for (const { id, queue, type } of scheduler.entries()) {
    if (Object.hasOwn(server.options.queues, queue) || mux.handlerFor(type).pattern === undefined) continue;
    logger.warn(`Schedule "${id}" enqueues to the queue "${queue}", which server.queues does not list`);
  }
}
