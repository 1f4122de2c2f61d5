import { checkBoolean, checkDuration, checkNames, pathOf } from '../../model/options/check.js';
import { encodingCodec } from '../../model/task/payload.codec.js';
import { type EnqueueOptions, layTaskOptions, noOptions, type TaskOptions } from '../../model/task/task-options.js';
import type { Duration, Ms } from '../../model/time/duration.js';
import {
  type ConnectionOptions,
  connectionOptionNames,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
} from '../connection-options.js';

/** How an {@link AsynqClient} works; every option has a default. */
export interface ClientOptions extends ConnectionOptions {
  /**
   * How long a task may wait to be sent while Redis cannot be reached. Default `'10s'`: twice what it takes to notice that
   * a connection is dead, so that a task whose answer was lost is sent again on a new one.
   */
  readonly enqueueTimeout?: Duration | undefined;
  /**
   * Whether payloads are refused of which JSON would lose something without an error: functions, symbols, NaN, Infinity,
   * Map, Set, RegExp, Error, bytes inside objects. Of no effect with another codec. Default true.
   */
  readonly strictPayload?: boolean | undefined;
  /** Options of every task; those of a task definition win over them, and those of a call over both. Default: none. */
  readonly defaults?: EnqueueOptions | undefined;
}

/** The same, complete. */
export interface ResolvedClientOptions extends ResolvedConnectionOptions {
  readonly enqueueTimeout: Ms;
  readonly defaults: TaskOptions;
}

const names: readonly (keyof ClientOptions)[] = [
  ...connectionOptionNames,
  'enqueueTimeout',
  'strictPayload',
  'defaults',
];

/**
 * Completes and checks a client's options. `path` is how they are called in errors: `AsynqClient:`.
 *
 * @throws InvalidOptionError
 */
export function resolveClientOptions(options: ClientOptions, path = 'AsynqClient:'): ResolvedClientOptions {
  checkNames({ path, value: options }, names);
  const { enqueueTimeout = '10s', strictPayload = true } = options;
  const connection = resolveConnectionOptions(options, path);
  const isStrict = checkBoolean({ path: pathOf(path, 'strictPayload'), value: strictPayload });
  return {
    ...connection,
    codec: encodingCodec(connection.codec, { strictPayload: isStrict, encoded: 'payload' }),
    enqueueTimeout: checkDuration({ path: pathOf(path, 'enqueueTimeout'), value: enqueueTimeout }, 'above-zero'),
    defaults: layTaskOptions(options.defaults, { path: pathOf(path, 'defaults'), under: noOptions }),
  };
}
