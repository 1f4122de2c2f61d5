import { Task } from '../../engine/server/handler-task.js';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import { payloadDefinitionsKey } from '../asynq.tokens.js';
import type { PayloadDefinitionMetadata } from '../decorators/task-param.decorators.js';
import { decoratedParametersOf, parameterTypesOf } from '../execution/handler-parameters.js';
import type { HandlerDefinition } from './handler.explorer.js';

/**
 * Refuses a handler that would not receive what its parameters expect, as far as the compiler has kept their types: one
 * without decorated parameters receives the task; one with some receives only those.
 *
 * @throws InvalidOptionError that names the method and what to write instead.
 */
export function checkParameters(handler: HandlerDefinition): void {
  const decorated = decoratedParametersOf(handler);
  const types = parameterTypesOf(handler) ?? [];
  checkPayloadDefinitions(handler);
  if (decorated.length === 0) return checkIsTask(handler, types[0]);
  // `length` does not count parameters with a default value.
  const count = Math.max(handler.callback.length, 1);
  for (let index = 0; index < count; index += 1) {
    if (!decorated.includes(index)) refuseUndecorated(handler, { index, type: types[index] });
  }
}

/** A payload has the type of its definition only if the handler is for that definition. */
function checkPayloadDefinitions(handler: HandlerDefinition): void {
  const { type, method, decorator, location, pattern } = handler;
  const prototype = type.prototype as object;
  const named = (Reflect.getMetadata(payloadDefinitionsKey, prototype, method) ??
    []) as readonly PayloadDefinitionMetadata[];
  const text = typeof pattern === 'string' ? pattern : (pattern as TaskDefinition | undefined)?.type;
  for (const { index, type: definition } of named) {
    if (definition === text || text === undefined) continue;
    const path = `${decorator} on ${location}: parameter ${index + 1}`;
    throw new InvalidOptionError({
      path,
      value: definition,
      allowed: `the definition of "${text}"`,
      message: `${path}: @TaskPayload names the definition of "${definition}", but the handler is for "${text}"`,
    });
  }
}

// The emitted type of an interface, a union or an untyped parameter is `Object`.
function checkIsTask(handler: HandlerDefinition, type: unknown): void {
  if (typeof type !== 'function' || type === Object || isTask(type)) return;
  const name = nameOf(type);
  throw refusal(handler, {
    index: 0,
    value: name,
    fix: `the parameter receives the Task: write "@TaskPayload() ...: ${name}" to get the payload, or change its type to Task`,
  });
}

function refuseUndecorated(
  handler: HandlerDefinition,
  { index, type }: { readonly index: number; readonly type: unknown },
): never {
  const isForTask = typeof type === 'function' && isTask(type);
  const fix = isForTask
    ? 'write "@CurrentTask() ...: Task"'
    : 'decorate it, for example with @TaskPayload() or @CurrentTask(), or give it a default value';
  throw refusal(handler, {
    index,
    value: nameOf(type),
    fix: `other parameters are decorated, so this one receives nothing: ${fix}`,
  });
}

function refusal(
  { decorator, location }: HandlerDefinition,
  { index, value, fix }: { readonly index: number; readonly value: string; readonly fix: string },
): InvalidOptionError {
  const path = `${decorator} on ${location}: parameter ${index + 1}`;
  return new InvalidOptionError({
    path,
    value,
    allowed: 'the Task, or a decorated parameter',
    message: `${path} (${value}): ${fix}`,
  });
}

// Compared by name, too: a second copy of this package has its own class.
function isTask(type: { readonly name: string; readonly prototype?: unknown }): boolean {
  return type === Task || type.prototype instanceof Task || type.name === Task.name;
}

function nameOf(type: unknown): string {
  return typeof type === 'function' ? type.name : 'of unknown type';
}
