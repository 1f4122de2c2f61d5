import { checkBoolean, checkDuration, checkDurationOrFalse, checkNames, pathOf } from '../../model/options/check.js';
import { defaultStrictPayload } from '../../model/options/shared-defaults.js';
import { encodingCodec } from '../../model/task/payload.codec.js';
import { type EnqueueOptions, layTaskOptions, noOptions, type TaskOptions } from '../../model/task/task-options.js';
import type { Duration, Ms } from '../../model/time/duration.js';
import {
  type ConnectionOptions,
  connectionOptionNames,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
  withoutConnection,
} from '../connection-options.js';

/** Options of an {@link AsynqClient}; each has a default. */
export interface ClientOptions extends ConnectionOptions {
  /**
   * How long a task may wait to be sent while Redis cannot be reached. Default `'10s'`: twice the time it takes to
   * notice a dead connection, so a task whose reply was lost is sent again on a new one.
   */
  readonly enqueueTimeout?: Duration | undefined;
  /**
   * Whether to refuse payloads in which JSON would silently lose something: functions, symbols, NaN, Infinity, Map,
   * Set, RegExp, Error, bytes inside objects. It has no effect with another codec. Default true.
   */
  readonly strictPayload?: boolean | undefined;
  /**
   * How long servers have, after the first task of a queue, to read it. Then a warning, once per queue, says that no
   * server reads it or none aggregates its groups. `false` never checks. Default `'30s'`; without a `logger` nothing is
   * checked.
   */
  readonly unservedQueueWarning?: Duration | false | undefined;
  /**
   * Options of every task; those of a task definition override them, and those of a call override both. Default: none.
   */
  readonly defaults?: EnqueueOptions | undefined;
}

/** Client options without the connection options. */
export type ClientSettings = Omit<ClientOptions, keyof ConnectionOptions>;

/** {@link ClientSettings}, checked and complete. */
export interface ResolvedClientSettings {
  readonly enqueueTimeout: Ms;
  readonly strictPayload: boolean;
  readonly unservedQueueWarning: Ms | false;
  readonly defaults: TaskOptions;
}

/** {@link ClientOptions}, checked and complete. */
export interface ResolvedClientOptions extends ResolvedConnectionOptions, ResolvedClientSettings {}

const settingNames: readonly (keyof ClientSettings)[] = [
  'enqueueTimeout',
  'strictPayload',
  'unservedQueueWarning',
  'defaults',
];

/**
 * Completes and checks a client's options. `path` is the prefix of option names in errors: `AsynqClient:`.
 *
 * @throws InvalidOptionError
 */
export function resolveClientOptions(options: ClientOptions, path = 'AsynqClient:'): ResolvedClientOptions {
  checkNames({ path, value: options }, [...connectionOptionNames, ...settingNames]);
  return joinClientOptions(
    resolveClientSettings(withoutConnection(options), path),
    resolveConnectionOptions(options, path),
  );
}

/**
 * Completes and checks client settings. `path` is the prefix of option names in errors: `AsynqModule: client`.
 *
 * @throws InvalidOptionError
 */
export function resolveClientSettings(settings: ClientSettings, path: string): ResolvedClientSettings {
  checkNames({ path, value: settings }, settingNames);
  const { enqueueTimeout = '10s', strictPayload = defaultStrictPayload, unservedQueueWarning = '30s' } = settings;
  return {
    enqueueTimeout: checkDuration({ path: pathOf(path, 'enqueueTimeout'), value: enqueueTimeout }, 'above-zero'),
    strictPayload: checkBoolean({ path: pathOf(path, 'strictPayload'), value: strictPayload }),
    unservedQueueWarning: checkDurationOrFalse({
      path: pathOf(path, 'unservedQueueWarning'),
      value: unservedQueueWarning,
    }),
    defaults: layTaskOptions(settings.defaults, { path: pathOf(path, 'defaults'), under: noOptions }),
  };
}

/** Joins client settings and connection options. */
export function joinClientOptions(
  settings: ResolvedClientSettings,
  connection: ResolvedConnectionOptions,
): ResolvedClientOptions {
  return {
    ...connection,
    ...settings,
    codec: encodingCodec(connection.codec, { strictPayload: settings.strictPayload, encoded: 'payload' }),
  };
}
