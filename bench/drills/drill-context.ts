import type { Verdict } from './verdict.js';

/** What a drill is given. */
export interface DrillContext {
  readonly verdict: Verdict;
  /** Uniform in [0, 1), the same numbers for the same seed. */
  readonly random: () => number;
  /** From `--minutes`; the drill's usage line says what it means. */
  readonly minutes: number | undefined;
  /** From `--tasks`. */
  readonly tasks: number | undefined;
  /** From `--limit-ms`. */
  readonly limitMs: number | undefined;
  /** From `--only`: the one part of the drill to play. */
  readonly only: string | undefined;
  /** Calls `end` when the drill is over, however it ends; the last one given goes first. */
  readonly atEnd: (end: () => unknown) => void;
}

/** Waits until `condition` holds, looking often; `false` when it does not within the limit. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
  const limit = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > limit) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}

/**
 * Waits until `condition` holds, for a drill that cannot go on without it.
 *
 * @throws Error when it does not hold within the limit.
 */
export async function must(what: string, condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  if (!(await until(condition, limitMs))) throw new Error(`Timed out waiting until ${what}`);
}

/** A small seeded generator (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
