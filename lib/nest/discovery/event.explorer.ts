import type { ModuleRef } from '@nestjs/core';
import type { TaskEventName } from '../../engine/engine-events.js';
import { checkNames } from '../../model/options/check.js';
import { taskEventKey } from '../asynq.tokens.js';
import type { OnTaskEventOptions, TaskEventMetadata } from '../decorators/on-task-event.decorator.js';
import type { DecoratedMethod, DecoratedMethods } from './decorated-methods.js';
import { resolveRegistration } from './registration-options.js';
import { resolveConfigurable } from './resolve-configurable.js';

/** A method that listens to an event, with its options resolved. */
export interface EventDefinition extends Omit<DecoratedMethod<unknown>, 'metadata'> {
  readonly decorator: '@OnTaskEvent';
  readonly event: TaskEventName;
  readonly instance: string;
}

/**
 * Returns every enabled event method.
 *
 * @throws InvalidOptionError when a decorator's options are invalid, naming the method.
 */
export async function exploreEvents(
  methods: DecoratedMethods,
  moduleRef: ModuleRef,
): Promise<readonly EventDefinition[]> {
  const definitions: EventDefinition[] = [];
  for (const { metadata, ...found } of methods.find<TaskEventMetadata>(taskEventKey)) {
    const path = `@OnTaskEvent on ${found.location}:`;
    const options = await resolveConfigurable<OnTaskEventOptions>(metadata.options, { moduleRef, path });
    checkNames({ path, value: options }, ['instance', 'enabled']);
    const { instance, isEnabled } = resolveRegistration(options, path);
    if (isEnabled) {
      definitions.push({ ...found, decorator: '@OnTaskEvent', event: metadata.event, instance });
    }
  }
  return definitions;
}
