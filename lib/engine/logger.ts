/** Severity of a log line, least severe first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/**
 * Where the engine writes its log lines. In a Nest app it is Nest's logger.
 *
 * @example
 * new AsynqServer({ redis, logger: pino().child({ name: 'asynq' }) });
 */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Discards all log lines. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
