/* oxlint-disable typescript/no-unnecessary-type-parameters -- they are what is compared */

/** Whether two types are the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * Compiles only with `true`.
 *
 * @example
 * holds<Same<Jsonify<Date>, string>>();
 */
export function holds<T extends true>(..._nothing: readonly T[]): void {}
