import type { Logger } from '../engine/logger.js';
import { AsynqScheduler, type ScheduleArguments } from '../engine/scheduler/asynq-scheduler.js';
import type { ScheduleOptions } from '../engine/scheduler/schedule.js';
import type { TaskDefinition } from '../model/task/task-definition.js';

/**
 * The scheduler of an instance. It does not run without a schedule: it starts with the first one, once it is allowed
 * to.
 */
export class InstanceScheduler extends AsynqScheduler {
  #mayRun = false;

  /** Lets the scheduler run as soon as it has a schedule. */
  async allowToRun(): Promise<void> {
    this.#mayRun = true;
    if (this.schedules().length > 0) await this.start();
  }

  override register<Task extends string | TaskDefinition>(
    spec: string,
    task: Task,
    ...args: ScheduleArguments<Task>
  ): string;
  override register(spec: string, task: string | TaskDefinition, payload?: unknown, options?: ScheduleOptions): string {
    const id = super.register(spec, task, payload, options);
    if (this.#mayRun && this.status === 'new') this.#startLate(this.options.logger);
    return id;
  }

  override async shutdown(): Promise<void> {
    this.#mayRun = false;
    await super.shutdown();
  }

  #startLate(logger: Logger): void {
    this.start().catch((error: unknown) => {
      logger.error(`The scheduler does not start: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}
