import type { Jsonify } from '../../lib/core.js';
import { holds, type Same } from '../support/types.js';

declare const brand: unique symbol;
type UserId = string & { readonly [brand]: 'user' };
type Cents = number & { readonly unit: 'cents' };

class User {
  readonly #secret = 1;
  constructor(
    readonly id: number,
    public createdAt: Date,
    private readonly hash: string,
  ) {}
  greet(): string {
    return `${this.hash} ${this.#secret}`;
  }
}

class Price {
  constructor(readonly cents: bigint) {}
  toJSON(): { cents: string; at: Date } {
    return { cents: String(this.cents), at: new Date(0) };
  }
}

// What is asserted here is asserted by the type checker.
describe('Jsonify', () => {
  it('is what toJSON says', () => {
    holds<Same<Jsonify<{ at: Date; till: Date | null }>, { at: string; till: string | null }>>();
    holds<Same<Jsonify<Price>, { cents: string; at: string }>>();
    holds<Same<Jsonify<{ link: URL; bytes: Buffer }>, { link: string; bytes: { type: 'Buffer'; data: number[] } }>>();
    // @ts-expect-error a Date is text by then
    holds<Same<Jsonify<{ at: Date }>, { at: Date }>>();
  });

  it('leaves out what JSON leaves out', () => {
    type Given = { f(): void; g: () => 1; C: typeof User; s: symbol; [brand]: 1; u: undefined; i: (() => 1) | string };
    holds<Same<Jsonify<Given>, { i?: string }>>();
    holds<Same<Jsonify<User>, { readonly id: number; createdAt: string }>>();
    holds<Same<Jsonify<{ m: Map<string, 1>; s: Set<1>; r: RegExp }>['m' | 's' | 'r'], Record<string, never>>>();
    holds<Same<Jsonify<(Date | undefined)[]>, (string | null)[]>>();
  });

  it('makes optional what may be undefined', () => {
    holds<Same<Jsonify<{ at: Date | undefined; by?: Date }>, { at?: string; by?: string }>>();
    // @ts-expect-error it may be missing
    holds<Same<Jsonify<{ at: Date | undefined }>, { at: string }>>();
  });

  it('maps a bigint to never', () => {
    holds<Same<Jsonify<{ n: bigint }>, { n: never }>>();
    holds<Same<Jsonify<bigint>, never>>();
  });

  it('leaves alone what JSON leaves alone', () => {
    type Plain = { id: UserId; total: Cents; kind: 'a' | 'b'; on: boolean; none: null; tags: readonly string[] };
    holds<Same<Jsonify<Plain>, Plain>>();
    holds<Same<Jsonify<unknown>, unknown>>();
    holds<Same<Jsonify<any>, any>>();
    holds<Same<Jsonify<{ extra: unknown; at: Date }>, { extra: unknown; at: string }>>();
    holds<Same<Jsonify<void>, undefined>>();
    holds<Same<Jsonify<Record<string, Date>>, Record<string, string>>>();
    holds<Same<Jsonify<{ name: string; message: string }>, { name: string; message: string }>>();
  });

  it('goes through unions, tuples and types that contain themselves', () => {
    type Event = { kind: 'a'; at: Date } | { kind: 'b'; n: number };
    holds<Same<Jsonify<Event>, { kind: 'a'; at: string } | { kind: 'b'; n: number }>>();
    holds<Same<Jsonify<readonly [Date, number]>, readonly [string, number]>>();
    const tree = (given: Jsonify<Tree>): string | undefined => given.children[0]?.children[0]?.parent?.at;
    const dates = (given: Jsonify<Dates>): Text => given;
    const json = (given: Jsonify<Json>): Json => given;
    const term = (given: Jsonify<Term>): Term => given;
    // @ts-expect-error a Date is text by then, however deep it is
    const wrong = (given: Jsonify<Tree>): Date | undefined => given.children[0]?.children[0]?.at;
    expect([tree, dates, json, term, wrong]).toHaveLength(5);
  });

  it('does not give up on types that are deep or wide', () => {
    const deep = (given: Jsonify<Deep<45>>): string => given.next.next.next.next.next.next.next.next.next.next.at;
    const wide = (given: Jsonify<Wide[keyof Wide]>): 'k42' | undefined => (given.tag === 'k42' ? given.tag : undefined);
    expect([deep, wide]).toHaveLength(2);
  });

  it('can be named where the type is not known yet', () => {
    const send = <P>(payload: P): Jsonify<P> => JSON.parse(JSON.stringify(payload)) as Jsonify<P>;
    const arrived: { at: string } = send({ at: new Date(0) });
    expect(arrived).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });
});

interface Tree {
  at: Date;
  children: Tree[];
  parent?: Tree;
}
type Dates = Date | Dates[] | { [name: string]: Dates };
type Text = string | Text[] | { [name: string]: Text };
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type Term = number | ['add', Term, Term];
type Deep<N extends number, Made extends unknown[] = []> = Made['length'] extends N
  ? { at: Date; next: never }
  : { at: Date; next: Deep<N, [...Made, 1]> };
type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
type Wide = { [Name in `k${Digit}${Digit}`]: { tag: Name; at: Date; of: Partial<Record<Name, Date>> } };
