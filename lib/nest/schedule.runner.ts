import type { AsynqInstance } from './asynq-instance.js';

/** Starts the schedulers once handlers can run, and stops them before handlers are drained. */
export class ScheduleRunner {
  /** Instances whose schedulers may run. */
  readonly #instances: AsynqInstance[] = [];

  /**
   * Lets the scheduler of an instance run, with the tasks that its providers list.
   *
   * @throws whatever a provider of periodic tasks throws at its first call.
   */
  async start(instance: AsynqInstance): Promise<void> {
    const { scheduler, periodicTasks, options, logger } = instance;
    if (!instance.maySchedule) {
      const isAsked = options.hasScheduler && (scheduler.schedules().length > 0 || periodicTasks.length > 0);
      if (isAsked) logger.info(`The role is "${options.role}": this process schedules nothing`);
      return;
    }
    this.#instances.push(instance);
    for (const tasks of periodicTasks) await tasks.start();
    await scheduler.allowToRun();
    warnOfUnserved(instance);
  }

  /** Stops all schedules. */
  async stop(): Promise<void> {
    await Promise.allSettled(
      this.#instances.flatMap(({ periodicTasks }) => periodicTasks.map((tasks) => tasks.stop())),
    );
    await Promise.allSettled(this.#instances.map(({ scheduler }) => scheduler.shutdown()));
  }
}

// In a process with role `all`, either the queue was forgotten in `server.queues`, or it belongs to another service.
function warnOfUnserved({ options, server, scheduler, mux, logger }: AsynqInstance): void {
  if (options.role !== 'all' || !options.hasServer) return;
  for (const { id, queue, type } of scheduler.schedules()) {
    if (Object.hasOwn(server.options.queues, queue) || mux.handlerFor(type).pattern === undefined) continue;
    logger.warn(`Schedule "${id}" enqueues to the queue "${queue}", which server.queues does not list`);
  }
}
