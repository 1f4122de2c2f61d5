import type { ModuleRef } from '@nestjs/core';
import { type GroupPattern, groupPatternOf } from '../../engine/maintenance/group-mux.js';
import { checkNames } from '../../model/options/check.js';
import { taskAggregatorKey } from '../asynq.tokens.js';
import type { TaskAggregatorMetadata, TaskAggregatorOptions } from '../decorators/task-aggregator.decorator.js';
import type { DecoratedMethod, DecoratedMethods } from './decorated-methods.js';
import { resolveRegistration } from './registration-options.js';
import { resolveConfigurable } from './resolve-configurable.js';

/** An aggregator that an application declares, with its options resolved. */
export interface AggregatorDefinition extends Omit<DecoratedMethod<unknown>, 'metadata'> {
  readonly decorator: '@TaskAggregator';
  readonly pattern: GroupPattern;
  readonly instance: string;
}

/**
 * Returns every enabled aggregator.
 *
 * @throws InvalidOptionError when a decorator's options are invalid, HandlerConflictError when its pattern is blank;
 * both name the method.
 */
export async function exploreAggregators(
  methods: DecoratedMethods,
  moduleRef: ModuleRef,
): Promise<readonly AggregatorDefinition[]> {
  const definitions: AggregatorDefinition[] = [];
  for (const { metadata, ...found } of methods.find<TaskAggregatorMetadata>(taskAggregatorKey)) {
    const path = `@TaskAggregator on ${found.location}:`;
    const options = await resolveConfigurable<TaskAggregatorOptions>(metadata.options, { moduleRef, path });
    checkNames({ path, value: options }, ['instance', 'enabled']);
    const { instance, isEnabled } = resolveRegistration(options, path);
    if (!isEnabled) continue;
    const pattern = groupPatternOf(metadata.pattern, `${path} the pattern`);
    definitions.push({ ...found, decorator: '@TaskAggregator', pattern, instance });
  }
  return definitions;
}
