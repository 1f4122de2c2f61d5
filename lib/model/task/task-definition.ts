import { InvalidTaskError } from '../errors/task-errors.js';
import { showValue } from '../errors/option-errors.js';
import { isBlank, isWellFormed, refuse } from '../options/check.js';
import { isStandardSchema, type StandardSchemaV1 } from './standard-schema.js';
import { type EnqueueOptions, layTaskOptions, noOptions, type TaskOptions } from './task-options.js';

/** One typed name of a task for both sides: who enqueues it and who handles it. Made by {@link defineTask}. */
export interface TaskDefinition<P = unknown> {
  readonly type: string;
  /** Options of every task of this type; those of a call win over them, kind by kind. */
  readonly options: TaskOptions;
  /** Validates payloads when they are enqueued and again before they are handled. */
  readonly schema: StandardSchemaV1<unknown, P> | undefined;
}

/** What {@link defineTask} takes besides the type. */
export interface TaskDefinitionOptions<P> extends EnqueueOptions {
  /**
   * A Standard Schema (zod, valibot, arktype, ...). What is enqueued is the schema's output, and the handler
   * validates what arrives again, so a schema must accept its own output as JSON carries it. Default: nothing is validated.
   */
  readonly schema?: StandardSchemaV1<unknown, P> | undefined;
}

/**
 * Defines a task once for both sides. `enqueue` refuses a wrong payload at compile time, the handler's `Task<P>` is
 * typed, and with a schema both check at run time (C-07).
 *
 * @throws InvalidTaskError when the type is blank or no valid Unicode.
 * @throws InvalidOptionError when an option is wrong.
 * @example
 * export const SendEmail = defineTask<{ userId: number }>('email:send', { maxRetry: 3 });
 * await asynq.enqueue(SendEmail, { userId: 42 });
 */
export function defineTask<P = unknown>(
  type: string,
  { schema, ...options }: TaskDefinitionOptions<P> = {},
): TaskDefinition<P> {
  checkTaskType(type);
  if (schema !== undefined && !isStandardSchema(schema)) {
    refuse({ path: 'defineTask: options.schema', value: schema }, 'a Standard Schema, such as a zod schema');
  }
  const checked = layTaskOptions(options, { path: 'defineTask: options', under: noOptions });
  return Object.freeze({ type, options: checked, schema });
}

/**
 * A task's type: text that is not blank and is valid Unicode; it is not trimmed.
 *
 * @throws InvalidTaskError
 */
export function checkTaskType(type: unknown): string {
  if (typeof type !== 'string' || isBlank(type)) {
    throw new InvalidTaskError(`A task type must be text that is not blank, got ${showValue(type)}`);
  }
  if (!isWellFormed(type)) {
    throw new InvalidTaskError(`A task type must be valid Unicode, got ${showValue(type)} with a lone surrogate`);
  }
  return type;
}
