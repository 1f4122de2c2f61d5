import { checkBoolean, checkDuration, checkNames, pathOf } from '../../model/options/check.js';
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
  /**
   * How long after the first task of a queue a server must read it; then a warning says that none does, or that none
   * aggregates its groups, once for each queue. `false` never looks. Default `'30s'`; without a `logger` nothing is looked at.
   */
  readonly unservedQueueWarning?: Duration | false | undefined;
  /** Options of every task; those of a task definition win over them, and those of a call over both. Default: none. */
  readonly defaults?: EnqueueOptions | undefined;
}

/** What is a client's own, besides what it is connected by. */
export type ClientSettings = Omit<ClientOptions, keyof ConnectionOptions>;

/** The same, complete. */
export interface ResolvedClientSettings {
  readonly enqueueTimeout: Ms;
  readonly strictPayload: boolean;
  readonly unservedQueueWarning: Ms | 'never';
  readonly defaults: TaskOptions;
}

/** {@link ClientOptions}, complete. */
export interface ResolvedClientOptions extends ResolvedConnectionOptions, ResolvedClientSettings {}

const settingNames: readonly (keyof ClientSettings)[] = [
  'enqueueTimeout',
  'strictPayload',
  'unservedQueueWarning',
  'defaults',
];

/**
 * Completes and checks a client's options. `path` is how they are called in errors: `AsynqClient:`.
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
 * Completes and checks what is a client's own. `path` is how it is called in errors: `AsynqModule: client`.
 *
 * @throws InvalidOptionError
 */
export function resolveClientSettings(settings: ClientSettings, path: string): ResolvedClientSettings {
  checkNames({ path, value: settings }, settingNames);
  const { enqueueTimeout = '10s', strictPayload = defaultStrictPayload, unservedQueueWarning = '30s' } = settings;
  return {
    enqueueTimeout: checkDuration({ path: pathOf(path, 'enqueueTimeout'), value: enqueueTimeout }, 'above-zero'),
    strictPayload: checkBoolean({ path: pathOf(path, 'strictPayload'), value: strictPayload }),
    unservedQueueWarning:
      unservedQueueWarning === false
        ? 'never'
        : checkDuration({ path: pathOf(path, 'unservedQueueWarning'), value: unservedQueueWarning }, 'above-zero'),
    defaults: layTaskOptions(settings.defaults, { path: pathOf(path, 'defaults'), under: noOptions }),
  };
}

/** A client's options out of its own and those that it is connected by. */
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
