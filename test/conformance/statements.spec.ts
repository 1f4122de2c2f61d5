import { deck, statementNames } from './deck.js';

describe('the deck', () => {
  it('names every statement once', () => {
    const names = statementNames();
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(new Set(deck.map(({ title }) => title)).size).toBe(deck.length);
  });
});
