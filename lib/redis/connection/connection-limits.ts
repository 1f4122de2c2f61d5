import { checkDuration, checkInteger } from '../../model/options/check.js';
import type { Duration, Ms } from '../../model/time/duration.js';

/** How long to wait for Redis, and on how many connections. */
export interface ConnectionLimitOptions {
  /** How long opening may take before it fails. Default `'10s'`. */
  readonly connectTimeout?: Duration | undefined;
  /**
   * How long a command waits for the connection when it is down, and how long the server may say nothing before the
   * connection counts as lost; time in which bytes move on it does not count. Default `'5s'`.
   */
  readonly commandTimeout?: Duration | undefined;
  /** How many connections may wait for tasks. Default 4. */
  readonly blockingConnections?: number | undefined;
}

/** {@link ConnectionLimitOptions}, complete. */
export interface ConnectionLimits {
  readonly connectTimeout: Ms;
  readonly commandTimeout: Ms;
  readonly blockingConnections: number;
}

/** Connections that may wait for tasks, and queues that a server waits on, when nobody says how many. */
export const defaultBlockingConnections = 4;

/** @throws InvalidOptionError when a limit is not a duration above zero, or not a whole number from 1 to 64. */
export function resolveConnectionLimits(options: ConnectionLimitOptions): ConnectionLimits {
  const { connectTimeout = '10s', commandTimeout = '5s', blockingConnections = defaultBlockingConnections } = options;
  return {
    connectTimeout: checkDuration({ path: 'connectTimeout', value: connectTimeout }, 'above-zero'),
    commandTimeout: checkDuration({ path: 'commandTimeout', value: commandTimeout }, 'above-zero'),
    blockingConnections: checkInteger({ path: 'blockingConnections', value: blockingConnections }, { min: 1, max: 64 }),
  };
}
