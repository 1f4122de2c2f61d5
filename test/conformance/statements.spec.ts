import { deck, statementNames } from './deck.js';
import { planFor } from './describe-broker.js';

describe('the conformance suite', () => {
  const names = statementNames();

  it('names every statement once', () => {
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(new Set(deck.map(({ title }) => title)).size).toBe(deck.length);
  });

  it('has the same number of statements for every broker, skipped or proven', () => {
    const reason = 'memory is not durable';
    const plans = [[], [0], [1, 5, 9]].map((places) =>
      planFor(places.map((at) => ({ test: names[at] ?? '', reason }))),
    );
    expect(plans.map(({ count }) => count)).toEqual([names.length, names.length, names.length]);
    const proven = plans.map(({ chapters }) => chapters.flatMap(({ statements }) => statements).length);
    expect(proven).toEqual([names.length, names.length - 1, names.length - 3]);
  });

  it('refuses to skip an unknown statement, or one without a reason', () => {
    expect(() => planFor([{ test: 'keeps tasks for ever', reason: 'it does not' }])).toThrow('does not say');
    expect(() => planFor([{ test: names[0] ?? '', reason: '' }])).toThrow('without a reason');
  });
});
