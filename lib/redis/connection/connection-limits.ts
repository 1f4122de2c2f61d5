import { checkDuration, checkInteger, pathOf } from '../../model/options/check.js';
import type { Duration, Ms } from '../../model/time/duration.js';

/** How long to wait for Redis, and on how many connections. */
export interface ConnectionLimitOptions {
  /** How long opening may take before it fails. Default `'10s'`. */
  readonly connectTimeout?: Duration | undefined;
  /**
   * How long a command waits for the connection while it is down, and how long the server may send nothing before the
   * connection counts as lost; time in which bytes move on it does not count. Default `'5s'`.
   */
  readonly commandTimeout?: Duration | undefined;
  /** How many connections may wait for tasks; 0 means none. Default 4. */
  readonly blockingConnections?: number | undefined;
}

/** {@link ConnectionLimitOptions}, checked and complete. */
export interface ConnectionLimits {
  readonly connectTimeout: Ms;
  readonly commandTimeout: Ms;
  readonly blockingConnections: number;
}

/** The default number of connections that may wait for tasks, and of queues that a server waits on. */
export const defaultBlockingConnections = 4;

/**
 * Checks and completes limits. `owner` is the prefix of option names in errors: `AsynqModule:`.
 *
 * @throws InvalidOptionError when a limit is not a duration above zero, or not a whole number from 0 to 64.
 */
export function resolveConnectionLimits(options: ConnectionLimitOptions, owner: string): ConnectionLimits {
  const { connectTimeout = '10s', commandTimeout = '5s', blockingConnections = defaultBlockingConnections } = options;
  return {
    connectTimeout: checkDuration({ path: pathOf(owner, 'connectTimeout'), value: connectTimeout }, 'above-zero'),
    commandTimeout: checkDuration({ path: pathOf(owner, 'commandTimeout'), value: commandTimeout }, 'above-zero'),
    blockingConnections: checkInteger(
      { path: pathOf(owner, 'blockingConnections'), value: blockingConnections },
      { min: 0, max: 64 },
    ),
  };
}
