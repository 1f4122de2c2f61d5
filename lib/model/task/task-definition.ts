import { InvalidTaskError } from '../errors/task-errors.js';
import { showValue } from '../errors/option-errors.js';
import { isBlank, isWellFormed, refuse } from '../options/check.js';
import type { Jsonify } from './jsonify.js';
import { isStandardSchema, type SchemaInput, type SchemaOutput, type StandardSchemaV1 } from './standard-schema.js';
import { type EnqueueOptions, layTaskOptions, noOptions, type TaskOptions } from './task-options.js';

/**
 * A typed task definition shared by producers and handlers. Created by {@link defineTask}.
 *
 * `Given` is the payload that producers pass, `Arriving` the one that handlers receive.
 */
export interface TaskDefinition<Given = unknown, Arriving = Jsonify<Given>> {
  readonly type: string;
  /** Options of every task of this type; those of a call override them, one by one. */
  readonly options: TaskOptions;
  /** Checks payloads when they are enqueued, and transforms them for handlers. */
  readonly schema: StandardSchemaV1<Given, Arriving> | undefined;
}

/** Options of {@link defineTask}. */
export interface TaskDefinitionOptions<Schema extends StandardSchemaV1 = StandardSchemaV1> extends EnqueueOptions {
  /**
   * A Standard Schema (Zod, Valibot, ArkType, ...). Its input is what producers pass and what is stored, its output
   * what handlers receive. It checks the payload as it arrives, which with JSON means a string for a `Date`; `enqueue`
   * refuses what a handler would refuse. Default: nothing is checked.
   */
  readonly schema?: Schema | undefined;
}

/**
 * The payload that handlers of a definition receive.
 *
 * @example
 * async send(task: Task<PayloadOf<typeof SendEmail>>) {}
 */
export type PayloadOf<Definition extends TaskDefinition> =
  Definition extends TaskDefinition<unknown, infer Arriving> ? Arriving : never;

/** The arguments after a task or its type in a call; the payload may be omitted only if it may be `undefined`. */
export type TaskArguments<Task, Options> =
  Task extends TaskDefinition<infer Given, unknown>
    ? undefined extends Given
      ? readonly [payload?: Given, options?: Options | undefined]
      : readonly [payload: Given, options?: Options | undefined]
    : readonly [payload?: unknown, options?: Options | undefined];

/**
 * Defines a task once for both sides: a wrong payload in `enqueue` does not compile, and the handler's `Task` is typed.
 * The type argument is the payload that producers pass; handlers receive what JSON makes of it. With another codec,
 * pass the type that arrives as a second argument. With a schema, which also checks payloads at run time, omit both:
 * its input is what producers pass, its output what handlers receive (C-07).
 *
 * @throws InvalidTaskError when the type is blank or not valid Unicode.
 * @throws InvalidOptionError when an option is invalid.
 * @example
 * export const SendEmail = defineTask<{ userId: number; at: Date }>('email:send', { maxRetry: 3 });
 * await asynq.enqueue(SendEmail, { userId: 42, at: new Date() });
 * mux.handle(SendEmail, (task) => task.payload.at.slice(0, 10)); // a string here
 * @example
 * export const Resize = defineTask('image:resize', { schema: z.object({ url: z.url(), width: z.number().default(200) }) });
 * await asynq.enqueue(Resize, { url }); // handlers receive { url, width: 200 }
 * @example
 * // The module's codec preserves a Date.
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

/** Whether a value was created by {@link defineTask}. */
export function isTaskDefinition(value: unknown): value is TaskDefinition {
  return typeof value === 'object' && value !== null && 'type' in value && 'options' in value && 'schema' in value;
}

/**
 * Checks a task type: text that is not blank and is valid Unicode; it is not trimmed.
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
