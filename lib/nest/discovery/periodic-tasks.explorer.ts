import type { ModuleRef } from '@nestjs/core';
import { resolveSyncInterval } from '../../engine/scheduler/periodic-tasks.js';
import { checkNames } from '../../model/options/check.js';
import type { Ms } from '../../model/time/duration.js';
import { periodicTasksKey } from '../asynq.tokens.js';
import type {
  PeriodicTasksMetadata,
  ProvidesPeriodicTasksOptions,
} from '../decorators/provides-periodic-tasks.decorator.js';
import type { DecoratedMethod, DecoratedMethods } from './decorated-methods.js';
import { resolveRegistration } from './registration-options.js';
import { resolveConfigurable } from './resolve-configurable.js';

/** A method that lists periodic tasks, with its options resolved. */
export interface PeriodicTasksDefinition extends Omit<DecoratedMethod<unknown>, 'metadata'> {
  readonly decorator: '@ProvidesPeriodicTasks';
  readonly instance: string;
  readonly syncInterval: Ms;
}

/**
 * Returns every enabled method that lists periodic tasks.
 *
 * @throws InvalidOptionError when a decorator's options are invalid, naming the method.
 */
export async function explorePeriodicTasks(
  methods: DecoratedMethods,
  moduleRef: ModuleRef,
): Promise<readonly PeriodicTasksDefinition[]> {
  const definitions: PeriodicTasksDefinition[] = [];
  for (const { metadata, ...found } of methods.find<PeriodicTasksMetadata>(periodicTasksKey)) {
    const path = `@ProvidesPeriodicTasks on ${found.location}:`;
    const options = await resolveConfigurable<ProvidesPeriodicTasksOptions>(metadata.options, { moduleRef, path });
    checkNames({ path, value: options }, ['syncInterval', 'instance', 'enabled']);
    const { instance, isEnabled } = resolveRegistration(options, path);
    const definition: PeriodicTasksDefinition = {
      ...found,
      decorator: '@ProvidesPeriodicTasks',
      instance,
      syncInterval: resolveSyncInterval(options.syncInterval, `${path} syncInterval`),
    };
    if (isEnabled) definitions.push(definition);
  }
  return definitions;
}
