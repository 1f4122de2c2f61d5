import * as fc from 'fast-check';
import { type ScoredId, ScoredIds } from '../../lib/memory/scored-ids.js';

const inOrder = (one: ScoredId, other: ScoredId): number =>
  one.score - other.score || (one.id < other.id ? -1 : Number(one.id !== other.id));

describe('ids ordered by a score', () => {
  it('are in the order of their scores, and of their names where scores are equal', () => {
    const ids = new ScoredIds();
    for (const [id, score] of [
      ['b', 2],
      ['c', 1],
      ['a', 2],
    ] as const)
      ids.add(id, score);
    expect([...ids].map(({ id }) => id)).toEqual(['c', 'a', 'b']);
    expect(ids.upTo(2, 2).map(({ id }) => id)).toEqual(['c', 'a']);
    expect([ids.first?.id, ids.last?.id, ids.scoreOf('b'), ids.scoreOf('x')]).toEqual(['c', 'b', 2, undefined]);
  });

  it('are in the order in which they were added where scores are equal, even when added again', () => {
    const ids = new ScoredIds('by-arrival');
    for (const id of ['b', 'c', 'a', 'd']) ids.add(id, 2);
    ids.add('c', 1);
    ids.add('c', 2);
    ids.delete('a');
    expect([...ids].map(({ id }) => id)).toEqual(['b', 'd', 'c']);
  });

  it('answer as a sorted array does', () => {
    const id = fc.integer({ min: 0, max: 30 }).map(String);
    const move = fc.record({ do: fc.constantFrom('add', 'add', 'delete'), id, score: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
        const ids = new ScoredIds();
        const model = new Map<string, number>();
        for (const { do: what, id: name, score } of moves) {
          if (what === 'add') {
            ids.add(name, score);
            model.set(name, score);
          } else {
            expect(ids.delete(name)).toBe(model.delete(name));
          }
          const sorted = [...model].map(([known, at]) => ({ id: known, score: at })).toSorted(inOrder);
          expect([...ids]).toEqual(sorted);
          expect(ids.size).toBe(sorted.length);
          expect(ids.upTo(score, 3)).toEqual(sorted.filter((one) => one.score <= score).slice(0, 3));
          expect(ids.scoreAbove(score)).toBe(sorted.find((one) => one.score > score)?.score);
          expect([ids.first, ids.last]).toEqual([sorted[0], sorted.at(-1)]);
        }
      }),
    );
  });

  it('stay in order over many pages, whatever is taken out and moved', () => {
    const ids = new ScoredIds();
    const count = 5_000;
    for (let i = 0; i < count; i += 1) ids.add(`id-${i}`, (i * 7_919) % 1_000);
    for (let i = 0; i < count; i += 3) ids.delete(`id-${i}`);
    for (let i = 1; i < count; i += 3) ids.add(`id-${i}`, (i * 104_729) % 1_000);
    const left = [...ids];
    expect(left).toEqual(left.toSorted(inOrder));
    expect(left).toHaveLength(ids.size);
    expect(left.every(({ id, score }) => ids.scoreOf(id) === score)).toBe(true);
    for (const { id } of left) ids.delete(id);
    expect([ids.size, ids.first, [...ids]]).toEqual([0, undefined, []]);
  });
});
