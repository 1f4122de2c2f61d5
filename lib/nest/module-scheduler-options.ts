import type { ResolvedClientSettings } from '../engine/client/client-options.js';
import {
  type ResolvedSchedulerSettings,
  resolveSchedulerSettings,
  type SchedulerSettings,
} from '../engine/scheduler/scheduler-options.js';
import { checkNames, checkText, pathOf, refuse } from '../model/options/check.js';

/** Scheduling options of an instance, without those that its client and broker decide. */
export interface ModuleSchedulerOptions extends Pick<
  SchedulerSettings,
  'timeZone' | 'catchUp' | 'heartbeatInterval' | 'shutdownTimeout' | 'preEnqueue' | 'postEnqueue'
> {
  /**
   * Ids of disabled `@Cron` schedules: `['EmailTasks.backup']`. Their waiting tasks are still handled. Default: none.
   */
  readonly disabled?: readonly string[] | undefined;
}

/** Scheduling options of an instance, checked and complete. */
export interface ResolvedModuleSchedulerOptions {
  readonly settings: ResolvedSchedulerSettings;
  readonly disabled: readonly string[];
}

const names = Object.keys({
  timeZone: true,
  catchUp: true,
  heartbeatInterval: true,
  shutdownTimeout: true,
  preEnqueue: true,
  postEnqueue: true,
  disabled: true,
} satisfies Record<keyof ModuleSchedulerOptions, true>);

/**
 * Checks and completes the given options; `path` is their name in errors: `AsynqModule: scheduler`.
 *
 * @throws InvalidOptionError
 */
export function resolveModuleSchedulerOptions(
  options: ModuleSchedulerOptions,
  { path, client }: { readonly path: string; readonly client: ResolvedClientSettings },
): ResolvedModuleSchedulerOptions {
  checkNames({ path, value: options }, names);
  const { disabled = [], ...settings } = options;
  const { defaults, strictPayload } = client;
  return {
    settings: { ...resolveSchedulerSettings(settings, path), defaults, strictPayload },
    disabled: checkIds(disabled, pathOf(path, 'disabled')),
  };
}

function checkIds(disabled: unknown, path: string): readonly string[] {
  if (!Array.isArray(disabled)) return refuse({ path, value: disabled }, 'a list of ids of @Cron schedules');
  return disabled.map((value: unknown, index) => checkText({ path: `${path}[${index}]`, value }));
}
