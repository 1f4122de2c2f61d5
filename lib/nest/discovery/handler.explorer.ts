import type { ModuleRef } from '@nestjs/core';
import type { Middleware } from '../../engine/middleware.js';
import { checkFunction, checkNames, refuse } from '../../model/options/check.js';
import type { PatternMatch } from '../../model/task/task-pattern.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import { taskHandlerKey } from '../asynq.tokens.js';
import type { TaskHandlerMetadata, TaskHandlerOptions } from '../decorators/task-handler.decorator.js';
import type { DecoratedMethod, DecoratedMethods } from './decorated-methods.js';
import { resolveRegistration } from './registration-options.js';
import { resolveConfigurable } from './resolve-configurable.js';

/** A handler that an application declares, with its options resolved. */
export interface HandlerDefinition extends Omit<DecoratedMethod<unknown>, 'metadata'> {
  /** The decorator that declares it, for messages. */
  readonly decorator: '@TaskHandler' | '@Cron';
  readonly pattern: string | TaskDefinition;
  readonly match: PatternMatch | undefined;
  readonly instance: string;
  readonly middleware: readonly Middleware[];
}

/**
 * Returns every enabled handler.
 *
 * @throws InvalidOptionError when a decorator's options are invalid, naming the method.
 */
export async function exploreHandlers(
  methods: DecoratedMethods,
  moduleRef: ModuleRef,
): Promise<readonly HandlerDefinition[]> {
  const definitions: HandlerDefinition[] = [];
  for (const { metadata, ...found } of methods.find<TaskHandlerMetadata>(taskHandlerKey)) {
    const path = `@TaskHandler on ${found.location}:`;
    const options = await resolveConfigurable<TaskHandlerOptions>(metadata.options, { moduleRef, path });
    const { isEnabled, ...rest } = resolveHandlerOptions(options, path);
    if (isEnabled) definitions.push({ ...found, ...rest, decorator: '@TaskHandler', pattern: metadata.pattern });
  }
  return definitions;
}

type ResolvedHandlerOptions = Pick<HandlerDefinition, 'instance' | 'middleware' | 'match'> & {
  readonly isEnabled: boolean;
};

function resolveHandlerOptions(options: TaskHandlerOptions, path: string): ResolvedHandlerOptions {
  checkNames({ path, value: options }, ['instance', 'enabled', 'middleware', 'match']);
  const { middleware = [], match } = options;
  if (!Array.isArray(middleware))
    return refuse({ path: `${path} middleware`, value: middleware }, 'a list of functions');
  return {
    match,
    ...resolveRegistration(options, path),
    middleware: middleware.map((value: Middleware, index) =>
      checkFunction({ path: `${path} middleware[${index}]`, value }),
    ),
  };
}
