import { Injectable, Logger } from '@nestjs/common';
import { defineTask, Task, TaskHandler } from 'nestjs-asynq';

/** The task of each tick of a reminder. */
export const remind = defineTask<{ readonly text: string }>('reminder:say', { maxRetry: 0 });

/** Logs reminders. */
@Injectable()
export class ReminderTasks {
  readonly #log = new Logger('Reminder');
  /** The reminders so far. */
  readonly said: string[] = [];

  @TaskHandler(remind)
  say(task: Task<{ readonly text: string }>): void {
    this.said.push(task.payload.text);
    this.#log.log(task.payload.text);
  }
}
