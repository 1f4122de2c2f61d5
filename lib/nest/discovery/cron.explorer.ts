import type { ModuleRef } from '@nestjs/core';
import type { ScheduleOptions } from '../../engine/scheduler/schedule.js';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { checkBoolean, checkNames, checkText } from '../../model/options/check.js';
import { cronKey, defaultInstanceName } from '../asynq.tokens.js';
import type { CronMetadata, CronOptions } from '../decorators/cron.decorator.js';
import type { DecoratedMethod, DecoratedMethods } from './decorated-methods.js';
import type { HandlerDefinition } from './handler.explorer.js';
import { resolveConfigurable, resolveValue } from './resolve-configurable.js';

/** A schedule that a method declares, options resolved; the method handles its tasks. */
export interface CronDefinition {
  /** Name of the schedule within its instance. */
  readonly id: string;
  readonly spec: string;
  readonly payload: unknown;
  /** What the scheduler checks. */
  readonly options: ScheduleOptions;
  readonly isEnabled: boolean;
  /** Whether the id comes from a name that a bundler may have given to the class. */
  readonly hasDoubtfulId: boolean;
  readonly handler: HandlerDefinition;
}

const optionNames = Object.keys({
  type: true,
  payload: true,
  instance: true,
  enabled: true,
  id: true,
  timeZone: true,
  catchUp: true,
  overlap: true,
  queue: true,
  maxRetry: true,
  timeout: true,
  unique: true,
  retention: true,
  headers: true,
  processIn: true,
} satisfies Record<keyof CronOptions, true>);

/**
 * Every schedule that methods declare, those that are switched off included.
 *
 * @throws InvalidOptionError when a decorator's options are wrong, naming the method.
 */
export async function exploreCrons(
  methods: DecoratedMethods,
  moduleRef: ModuleRef,
): Promise<readonly CronDefinition[]> {
  const definitions: CronDefinition[] = [];
  for (const { metadata, ...found } of methods.find<CronMetadata>(cronKey)) {
    const path = `@Cron on ${found.location}:`;
    const spec = await resolveValue(metadata.spec, { moduleRef, path: `${path} spec` });
    const options = await resolveConfigurable<CronOptions>(metadata.options, { moduleRef, path });
    // The scheduler says why an id is not one of them.
    checkNames({ path, value: options }, [...optionNames, 'taskId']);
    definitions.push(define({ found, spec, options, path }));
  }
  return definitions;
}

/** The handlers of the schedules that no other decorator of the same method has declared: each once. */
export function handlersOf(
  crons: readonly CronDefinition[],
  declared: readonly HandlerDefinition[],
): readonly HandlerDefinition[] {
  const handlers: HandlerDefinition[] = [];
  for (const { handler } of crons) {
    const isKnown = [...declared, ...handlers].some((other) => isSame(handler, other));
    if (!isKnown) handlers.push(handler);
  }
  return handlers;
}

interface FoundCron {
  readonly found: Omit<DecoratedMethod<unknown>, 'metadata'>;
  readonly spec: string;
  readonly options: CronOptions;
  readonly path: string;
}

function define({ found, spec, options, path }: FoundCron): CronDefinition {
  const { type, payload, instance = defaultInstanceName, enabled = true, ...schedule } = options;
  if (schedule.id === undefined) checkNotMinified(found, path);
  const { id = found.name } = schedule;
  return {
    id: checkText({ path: `${path} id`, value: id }),
    spec,
    payload,
    options: { ...schedule, id },
    isEnabled: checkBoolean({ path: `${path} enabled`, value: enabled }),
    // `EmailTasks2` of esbuild, `EmailTasks$1` of rollup, `_EmailTasks` of a class that refers to itself.
    hasDoubtfulId: schedule.id === undefined && /^_|\d$/.test(found.type.name),
    handler: {
      ...found,
      decorator: '@Cron',
      pattern: type ?? `cron:${id}`,
      match: 'exact',
      instance: checkText({ path: `${path} instance`, value: instance }),
      middleware: [],
    },
  };
}

// An id that changes from build to build makes new schedules, and leaves tasks of types that nobody handles.
function checkNotMinified({ type: { name }, method }: FoundCron['found'], path: string): void {
  if (name.length > 2 && !/^[a-z_$].{0,3}$/.test(name)) return;
  throw new InvalidOptionError({
    path: `${path} id`,
    value: `${name}.${String(method)}`,
    allowed: 'given when a bundler renames classes',
    message: `${path} the class is called "${name}", as bundlers rename classes, so that the id of the schedule would change with the build: give it an id, such as { id: 'backups.${String(method)}' }, or let the bundler keep names`,
  });
}

function isSame(one: HandlerDefinition, other: HandlerDefinition): boolean {
  return (
    one.host === other.host &&
    one.method === other.method &&
    one.pattern === other.pattern &&
    one.instance === other.instance
  );
}
