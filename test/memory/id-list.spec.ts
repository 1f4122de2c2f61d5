import * as fc from 'fast-check';
import { IdList } from '../../lib/memory/id-list.js';

describe('a list of ids', () => {
  it('takes from the front the oldest id, or the one put there last', () => {
    const list = new IdList();
    list.addLast('b');
    list.addLast('c');
    list.addFirst('a');
    expect([...list]).toEqual(['a', 'b', 'c']);
    expect([list.takeFirst(), list.takeFirst(), list.takeFirst(), list.takeFirst()]).toEqual([
      'a',
      'b',
      'c',
      undefined,
    ]);
    expect(list.size).toBe(0);
  });

  it('behaves like an array, also with ids that occur twice', () => {
    const id = fc.constantFrom('a', 'b', 'c');
    const move = fc.oneof(
      fc.record({ do: fc.constantFrom('addFirst', 'addLast', 'delete', 'has'), id }),
      fc.record({ do: fc.constant('takeFirst'), id: fc.constant('') }),
    );
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const list = new IdList();
        let model: string[] = [];
        for (const { do: what, id: name } of moves) {
          if (what === 'addFirst') {
            list.addFirst(name);
            model.unshift(name);
          } else if (what === 'addLast') {
            list.addLast(name);
            model.push(name);
          } else if (what === 'takeFirst') {
            expect(list.takeFirst()).toBe(model.shift());
          } else if (what === 'has') {
            expect(list.has(name)).toBe(model.includes(name));
          } else {
            expect(list.delete(name)).toBe(model.includes(name));
            // Which of two equal ids goes is not said.
            const left = [...list];
            const removed = model.filter((known) => known === name).length;
            expect(left.filter((known) => known === name)).toHaveLength(Math.max(0, removed - 1));
            expect(left.filter((known) => known !== name)).toEqual(model.filter((known) => known !== name));
            model = left;
          }
          expect([...list]).toEqual(model);
          expect(list.size).toBe(model.length);
        }
      }),
    );
  });
});
