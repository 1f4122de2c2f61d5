import type { QueueUnderTest } from './queue-under-test.js';

/** One promise of the contracts and its proof, on a queue of its own. */
export interface Statement {
  readonly name: string;
  readonly prove: (tasks: QueueUnderTest) => Promise<void>;
}

/** What the contracts promise about one thing. */
export interface Chapter {
  readonly title: string;
  readonly statements: readonly Statement[];
}

/** Collects statements; a name completes "it ...". */
export type State = (name: string, prove: Statement['prove']) => void;

/**
 * A part of the deck. What it says is the same for every broker: it never asks which one it is given.
 *
 * @example
 * export const pausing = chapter('pausing', (it) => {
 *   it('tells whether a queue is paused', async (tasks) => { ... });
 * });
 */
export function chapter(title: string, tell: (it: State) => void): Chapter {
  const statements: Statement[] = [];
  tell((name, prove) => statements.push({ name, prove }));
  return { title, statements };
}
