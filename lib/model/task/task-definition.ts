import { InvalidTaskError } from '../errors/task-errors.js';
import { showValue } from '../errors/option-errors.js';
import { isBlank, isWellFormed, refuse } from '../options/check.js';
import type { Jsonify } from './jsonify.js';
import { isStandardSchema, type SchemaInput, type SchemaOutput, type StandardSchemaV1 } from './standard-schema.js';
import { type EnqueueOptions, layTaskOptions, noOptions, type TaskOptions } from './task-options.js';

/**
 * One typed name of a task for both sides: who enqueues it and who handles it. Made by {@link defineTask}.
 *
 * `Given` is the payload that producers pass, `Arriving` the one that handlers get.
 */
export interface TaskDefinition<Given = unknown, Arriving = Jsonify<Given>> {
  readonly type: string;
  /** Options of every task of this type; those of a call win over them, kind by kind. */
  readonly options: TaskOptions;
  /** Checks payloads when they are enqueued, and makes of them what handlers get. */
  readonly schema: StandardSchemaV1<Given, Arriving> | undefined;
}

/** What {@link defineTask} takes besides the type. */
export interface TaskDefinitionOptions<Schema extends StandardSchemaV1 = StandardSchemaV1> extends EnqueueOptions {
  /**
   * A Standard Schema (zod, valibot, arktype, ...). Its input is what producers pass and what is stored, its output what
   * handlers get. It is given the payload as it arrives, which with JSON means text for a `Date`; a producer is refused
   * what a handler would be. Default: nothing is checked.
   */
  readonly schema?: Schema | undefined;
}

/**
 * The payload that handlers of a definition get.
 *
 * @example
 * async send(task: Task<PayloadOf<typeof SendEmail>>) {}
 */
export type PayloadOf<Definition extends TaskDefinition> =
  Definition extends TaskDefinition<unknown, infer Arriving> ? Arriving : never;

/** What follows a task, or its type, in a call; a payload may be left out only where it may be `undefined`. */
export type TaskArguments<Task, Options> =
  Task extends TaskDefinition<infer Given, unknown>
    ? undefined extends Given
      ? readonly [payload?: Given, options?: Options | undefined]
      : readonly [payload: Given, options?: Options | undefined]
    : readonly [payload?: unknown, options?: Options | undefined];

/**
 * Defines a task once for both sides: `enqueue` refuses a wrong payload at compile time, and the handler's `Task` is
 * typed. The type argument is the payload that producers pass; handlers get what JSON makes of it. With another codec, say
 * what arrives in a second one. With a schema, which checks payloads at run time as well, leave both out: its input is what
 * producers pass, its output what handlers get (C-07).
 *
 * @throws InvalidTaskError when the type is blank or no valid Unicode.
 * @throws InvalidOptionError when an option is wrong.
 * @example
 * export const SendEmail = defineTask<{ userId: number; at: Date }>('email:send', { maxRetry: 3 });
 * await asynq.enqueue(SendEmail, { userId: 42, at: new Date() });
 * mux.handle(SendEmail, (task) => task.payload.at.slice(0, 10)); // text by now
 * @example
 * export const Resize = defineTask('image:resize', { schema: z.object({ url: z.url(), width: z.number().default(200) }) });
 * await asynq.enqueue(Resize, { url }); // handlers get { url, width: 200 }
 * @example
 * // The module's codec keeps a Date as it is.
 * export const Remind = defineTask<{ at: Date }, { at: Date }>('remind');
 */
export function defineTask<Schema extends StandardSchemaV1>(
  type: string,
  options: TaskDefinitionOptions<Schema> & { readonly schema: Schema },
): TaskDefinition<SchemaInput<Schema>, SchemaOutput<Schema>>;
export function defineTask<Given = unknown, Arriving = Given extends Uint8Array ? unknown : Jsonify<Given>>(
  type: string,
  options?: EnqueueOptions & { readonly schema?: undefined },
): TaskDefinition<Given, Arriving>;
export function defineTask(type: string, { schema, ...options }: TaskDefinitionOptions = {}): TaskDefinition {
  checkTaskType(type);
  if (schema !== undefined && !isStandardSchema(schema)) {
    refuse({ path: 'defineTask: options.schema', value: schema }, 'a Standard Schema, such as a zod schema');
  }
  const checked = layTaskOptions(options, { path: 'defineTask: options', under: noOptions });
  return Object.freeze({ type, options: checked, schema });
}

/** Tells what {@link defineTask} made from anything else. */
export function isTaskDefinition(value: unknown): value is TaskDefinition {
  return typeof value === 'object' && value !== null && 'type' in value && 'options' in value && 'schema' in value;
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
