import type { Logger } from '../engine/logger.js';

/** A line that the engine logged. */
export interface RecordedLog {
  readonly level: keyof Logger;
  readonly message: string;
}

/** Records what the engine logs, instead of printing it among the test results. */
export class RecordedLogs implements Logger {
  readonly lines: RecordedLog[] = [];

  debug(message: string): void {
    this.lines.push({ level: 'debug', message });
  }

  info(message: string): void {
    this.lines.push({ level: 'info', message });
  }

  warn(message: string): void {
    this.lines.push({ level: 'warn', message });
  }

  error(message: string): void {
    this.lines.push({ level: 'error', message });
  }
}
