import { Logger as NestLog } from '@nestjs/common';
import type { Logger } from '../engine/logger.js';

/** Writes the engine's log lines to Nest's logger, or to the one with which the application has replaced it. */
export class NestLogger implements Logger {
  readonly #log: NestLog;

  /** @param context the context of the lines: `Asynq`, or `Asynq:billing` for a named instance. */
  constructor(context: string) {
    this.#log = new NestLog(context);
  }

  debug(message: string): void {
    this.#log.debug(message);
  }

  info(message: string): void {
    this.#log.log(message);
  }

  warn(message: string): void {
    this.#log.warn(message);
  }

  error(message: string): void {
    this.#log.error(message);
  }
}
