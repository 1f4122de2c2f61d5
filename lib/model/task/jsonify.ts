/** What JSON has a form for. A type made of nothing else arrives as it is. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** What JSON leaves out of an object, and writes as `null` in an array. */
type LeftOut = undefined | symbol | ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);

/** Objects of which JSON sees nothing. */
type Unseen =
  ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | WeakMap<WeakKey, unknown> | WeakSet<WeakKey> | RegExp;

/**
 * What becomes of a value that goes through JSON: `toJSON` is respected, so that a `Date` is text; methods and symbols are
 * gone; what may be `undefined` may be missing; a `Map`, `Set` or `RegExp` is an empty object. `bigint` has no form, so
 * it is `never`. `unknown`, `any`, and text and numbers with a brand pass as they are.
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
