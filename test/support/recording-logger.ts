import type { Logger } from '../../lib/engine/logger.js';
import { RecordedLogs } from '../../lib/testing/recorded-logs.js';

/** Keeps what is logged. */
export class RecordingLogger extends RecordedLogs {
  /** The messages of one level, or of all. */
  messages(level?: keyof Logger): string[] {
    return this.lines.filter((line) => level === undefined || line.level === level).map((line) => line.message);
  }
}
