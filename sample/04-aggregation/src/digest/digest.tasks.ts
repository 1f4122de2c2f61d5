import { Injectable, Logger } from '@nestjs/common';
import { Task, TaskAggregator, type TaskGroup, TaskHandler, type TaskToEnqueue } from 'nestjs-asynq';
import { type Digest, digestGroup, digestMail, type Notification } from '../tasks.js';
import { Outbox } from './outbox.service.js';

/** Turns many notifications into one mail. */
@Injectable()
export class DigestTasks {
  readonly #log = new Logger('Digest');

  constructor(private readonly outbox: Outbox) {}

  /** Called when a user's group has been quiet for a while or is full: its tasks become one. */
  @TaskAggregator(digestGroup)
  combine({ name, tasks }: TaskGroup<Notification>): TaskToEnqueue {
    const userId = name.slice(digestGroup.length);
    this.#log.log(`${tasks.length} notifications of group "${name}" become one mail`);
    return [digestMail, { userId, lines: tasks.map((task) => task.payload.text) }];
  }

  /** Handles the combined task like any other, with retries and a timeout. */
  @TaskHandler(digestMail)
  send(task: Task<Digest>): void {
    const { userId, lines } = task.payload;
    this.outbox.put({ id: task.id, userId, text: lines.map((line) => `- ${line}`).join('\n') });
    this.#log.log(`one mail to ${userId} about ${lines.length} things: ${lines.join(', ')}`);
  }
}
