/** Types that JSON can represent. A type that consists only of these arrives unchanged. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Types that JSON omits from an object, and writes as `null` in an array. */
type LeftOut = undefined | symbol | ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);

/** Objects whose content JSON does not see. */
type Unseen =
  ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | WeakMap<WeakKey, unknown> | WeakSet<WeakKey> | RegExp;

/**
 * The type of a value after going through JSON: `toJSON` is respected, so that a `Date` becomes a string; methods and
 * symbols are gone; what may be `undefined` may be missing; a `Map`, `Set` or `RegExp` is an empty object. `bigint` has
 * no representation, so it is `never`. `unknown`, `any`, and branded strings and numbers stay unchanged.
 *
 * @example
 * type Sent = { at: Date; send(): void };
 * type Arrived = Jsonify<Sent>; // { at: string }
 */
export type Jsonify<T> = unknown extends T
  ? T
  : T extends Json | undefined
    ? T
    : T extends void
      ? undefined
      : T extends { toJSON: (...args: never[]) => infer Written }
        ? Jsonify<Written>
        : T extends bigint | LeftOut
          ? never
          : T extends readonly (infer Item)[]
            ? number extends T['length']
              ? JsonItem<Item>[]
              : { [Index in keyof T]: JsonItem<T[Index]> }
            : T extends Unseen
              ? Record<string, never>
              : JsonObject<T>;

type JsonItem<T> = unknown extends T ? T : T extends LeftOut ? null : Jsonify<T>;

type JsonObject<T> = Flat<
  { [Name in keyof T as NameIf<'there', T, Name>]: Jsonify<T[Name]> } & {
    [Name in keyof T as NameIf<'maybe', T, Name>]?: Jsonify<Exclude<T[Name], LeftOut>>;
  }
>;

type NameIf<When, T, Name extends keyof T> = Name extends symbol
  ? never
  : When extends Presence<T[Name]>
    ? Name
    : never;

type Presence<V> = unknown extends V
  ? 'there'
  : [V] extends [LeftOut]
    ? 'gone'
    : [Extract<V, LeftOut>] extends [never]
      ? 'there'
      : 'maybe';

type Flat<T> = { [Name in keyof T]: T[Name] };
