import { Injectable, Logger } from '@nestjs/common';
import { defineTask, Task, TaskHandler } from 'nestjs-asynq';

/** What is said at each tick of a reminder. */
export const remind = defineTask<{ readonly text: string }>('reminder:say', { maxRetry: 0 });

/** Says reminders. */
@Injectable()
export class ReminderTasks {
  readonly #log = new Logger('Reminder');
  /** What was said so far. */
  readonly said: string[] = [];

  @TaskHandler(remind)
  say(task: Task<{ readonly text: string }>): void {
    this.said.push(task.payload.text);
    this.#log.log(task.payload.text);
  }
}
