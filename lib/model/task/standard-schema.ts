import { InvalidPayloadError, type PayloadIssue } from '../errors/task-errors.js';

/**
 * A Standard Schema, version 1: what Zod, Valibot, ArkType and others provide under `~standard`. It is defined here
 * because the standard is an interface and needs no package.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The input type of a schema. */
export type SchemaInput<Schema extends StandardSchemaV1> = NonNullable<Schema['~standard']['types']>['input'];

/** The output type of a schema. */
export type SchemaOutput<Schema extends StandardSchemaV1> = NonNullable<Schema['~standard']['types']>['output'];

/** The result of a schema: its output, or the issues it found. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** One issue that a schema found. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * Validates a value and returns the schema's output (defaults filled in, unknown keys removed, ...), or a promise of it
 * if the schema is asynchronous.
 *
 * @throws InvalidPayloadError with every issue when the value does not match, thrown or as a rejection.
 */
export function validate<P>(schema: StandardSchemaV1<unknown, P>, value: unknown): P | Promise<P> {
  const result = schema['~standard'].validate(value);
  return isPending(result) ? result.then(outputOf) : outputOf(result);
}

/** Whether a value can validate payloads. Some schemas are functions. */
export function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as Partial<StandardSchemaV1>)['~standard'];
  return typeof standard === 'object' && typeof standard.validate === 'function';
}

function isPending<P>(result: SchemaResult<P> | Promise<SchemaResult<P>>): result is Promise<SchemaResult<P>> {
  return typeof (result as Partial<Promise<unknown>>).then === 'function';
}

function outputOf<P>(result: SchemaResult<P>): P {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(asPayloadIssue);
  const [first] = issues;
  const where = first === undefined || first.path.length === 0 ? '' : ` at ${first.path.map(String).join('.')}`;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  throw new InvalidPayloadError(
    `the payload does not match its schema${where}: ${first?.message ?? 'no reason'}${more}`,
    issues,
  );
}

function asPayloadIssue({ message, path = [] }: SchemaIssue): PayloadIssue {
  return { message, path: path.map((segment) => (typeof segment === 'object' ? segment.key : segment)) };
}
