import { Injectable, Logger } from '@nestjs/common';
import { OnTaskEvent, type TaskEvents } from 'nestjs-asynq';

/** Logs the outcome of every task. */
@Injectable()
export class TaskLog {
  readonly #log = new Logger('Tasks');

  @OnTaskEvent('completed')
  completed({ task, elapsed }: TaskEvents['completed']): void {
    this.#log.log(`${task.type} done in ${elapsed.toFixed(0)} ms`);
  }

  @OnTaskEvent('retry')
  retry({ task, error, retryAt }: TaskEvents['retry']): void {
    const at = new Date(retryAt).toISOString();
    this.#log.warn(`${task.type} failed (${text(error)}), retry ${task.retried} of ${task.maxRetry} at ${at}`);
  }

  @OnTaskEvent('archived')
  archived({ task, error }: TaskEvents['archived']): void {
    this.#log.error(`${task.type} failed for good (${text(error)})`);
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
