import { listFiles, readText } from './source-tree.js';

// How many statements each part of the protocol notes has that concern the client, the server, the mux and the scheduler.
const statements = { P: 118, C: 89, S: 158 };
const specs = listFiles('test', (path) => /\.(spec|conformance)\.ts$/.test(path) && !path.startsWith('test/gates/'));

describe('the statements of the protocol', () => {
  it('are each proven by a test that carries its number, or listed with the reason why not', () => {
    const proven = new Set(specs.flatMap((path) => numbersIn(readText(path))));
    const listed = new Set(numbersIn(readText('docs/compatibility.md')));
    const all = Object.entries(statements).flatMap(([part, count]) =>
      Array.from({ length: count }, (_, index) => `${part}-${String(index + 1).padStart(2, '0')}`),
    );
    expect(all.filter((number) => !proven.has(number) && !listed.has(number))).toEqual([]);
  });
});

/** The numbers in a text: `P-33`, and all of `S-110 to S-121`. */
function numbersIn(text: string): readonly string[] {
  const single = [...text.matchAll(/\b[PCS]-\d{2,3}\b/g)].map(([number]) => number);
  const ranges = [...text.matchAll(/\b([PCS])-(\d{2,3}) to \1-(\d{2,3})\b/g)].flatMap(([, part, first, last]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${part}-${Number(first) + index}`),
  );
  return [...single, ...ranges];
}
