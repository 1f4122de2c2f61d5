import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles, readText, root } from './source-tree.js';

// The pages of docs/protocol hold Asynq's protocol as numbered statements, each with an anchor.
const anchor = /<a id="([^"]+)"><\/a>\*\*([^*]+)\*\*/g;
const pages = listFiles('docs/protocol', (path) => path.endsWith('.md'));
const statements = pages.flatMap((path) =>
  [...readText(path).matchAll(anchor)].map(([, id = '', number = '']) => ({ path, id, number })),
);
const numbers = new Set(statements.map(({ number }) => number));

const tests = listFiles('test', (path) => /\.(spec|conformance)\.ts$/.test(path) && !path.startsWith('test/gates/'));
const texts = ['lib', 'test', 'bench', 'sample', 'scripts', 'docs']
  .flatMap((folder) => listFiles(folder, (path) => /\.(ts|mts|mjs|lua|go|md)$/.test(path)))
  .filter((path) => !path.startsWith('test/gates/') && !path.includes('/generated/'))
  .concat('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md');

describe('the statements of the protocol', () => {
  it('each have an anchor with their number', () => {
    const faults = statements.filter(({ id, number }) => id !== number.toLowerCase());
    expect(faults).toEqual([]);
    expect(statements.map(({ number }) => number).filter((number, at, all) => all.indexOf(number) !== at)).toEqual([]);
  });

  it('are numbered without a gap', () => {
    const gaps = ['P', 'C', 'S', 'Q', 'M', 'I', 'L', 'D', 'D-C', 'D-S'].flatMap((part) => {
      const own = [...numbers].filter((number) => partOf(number) === part).map((number) => Number(digitsOf(number)));
      expect(own.length).toBeGreaterThan(10);
      return Array.from({ length: Math.max(...own) }, (_, index) => index + 1)
        .filter((index) => !own.includes(index))
        .map((index) => `${part}-${index}`);
    });
    expect(gaps).toEqual([]);
  });

  it('are each proven by a test that carries the number, or listed in compatibility.md', () => {
    const shown = new Set([...tests.map(readText), readText('docs/compatibility.md')].flatMap(numbersIn));
    expect([...numbers].filter((number) => !shown.has(number))).toEqual([]);
  });

  it('exist for every number that code, tests and pages name', () => {
    const faults = texts.flatMap((path) =>
      numbersIn(readText(path))
        .filter((number) => !numbers.has(number) && !isCurve(number))
        .map((number) => `${path}: ${number}`),
    );
    expect(faults).toEqual([]);
  });
});

describe('code, tests and pages', () => {
  it('name only pages and sections that exist in the repository', () => {
    const faults = texts.flatMap((path) =>
      readText(path)
        .split('\n')
        .flatMap((line) => [...(line.match(/\bspec\/\d|\bengine\.md|house-style|§/g) ?? []), ...missingPages(line)])
        .map((what) => `${path}: ${what}`),
    );
    expect(faults).toEqual([]);
  });
});

/** The numbers in a text: `P-33`, `D-C8`, and all of `S-110 to S-121`. */
function numbersIn(text: string): readonly string[] {
  const single = [...text.matchAll(/(?<![\w-])(?:D-[CS]\d{1,2}|[PCSQMILD]-\d{2,3})\b/g)].map(([number]) => number);
  const ranges = [...text.matchAll(/\b([PCSQMILD])-(\d{2,3}) to \1-(\d{2,3})\b/g)].flatMap(([, part, first, last]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => {
      return `${part}-${String(Number(first) + index).padStart(2, '0')}`;
    }),
  );
  return [...single, ...ranges];
}

function partOf(number: string): string {
  return /^D-[CS]/.test(number) ? number.slice(0, 3) : number.slice(0, 1);
}

function digitsOf(number: string): string {
  return number.replace(/^\D+/, '');
}

// The names of elliptic curves look like statements.
function isCurve(number: string): boolean {
  return ['P-256', 'P-384', 'P-521'].includes(number);
}

function missingPages(line: string): readonly string[] {
  return [...line.matchAll(/\bdocs\/[\w./-]+\.md(?:#([\w-]+))?/g)]
    .filter(([link, id]) => {
      const [path = ''] = link.split('#');
      if (!existsSync(join(root, path))) return true;
      return id !== undefined && path.startsWith('docs/protocol/') && !readText(path).includes(`<a id="${id}"></a>`);
    })
    .map(([link]) => link);
}
