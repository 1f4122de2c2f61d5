import { isPackageAllowed, isWithin, readImportRules, ruleFor } from './import-rules.js';
import { parseFolder, type SourceFile } from './source-tree.js';

const files = parseFolder('lib');
const rules = readImportRules();
const entries = ['index.ts', 'core.ts'];

describe('imports in lib', () => {
  it('follow docs/architecture.md', () => {
    const faults = files.flatMap((file) => {
      const path = inLib(file.path);
      const rule = ruleFor(rules, path);
      if (rule === undefined) return [`${file.path}: no row of the table covers it`];
      return file.imports
        .filter(({ specifier, target }) =>
          target === undefined
            ? !isPackageAllowed(rule.packages, specifier)
            : !rule.mayImport.some((place) => isWithin(inLib(target), place)),
        )
        .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`);
    });
    expect(faults).toEqual([]);
  });

  it('are covered by rows that all exist', () => {
    const paths = files.map((file) => inLib(file.path));
    const unused = rules
      .map((rule) => rule.subject)
      .filter((subject) => !paths.some((path) => isWithin(path, subject)));
    expect(unused).toEqual([]);
  });

  it('never read an entry or another barrel', () => {
    const faults = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => target !== undefined && isEntry(inLib(target)))
        .filter(({ target }) => !(file.path === 'lib/index.ts' && target === 'lib/core.ts'))
        .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`),
    );
    const barrels = files.filter((file) => !isEntry(inLib(file.path)) && onlyReExports(file)).map((file) => file.path);
    expect([...faults, ...barrels]).toEqual([]);
  });

  it('form no cycle, including type-only imports', () => {
    expect(findCycles(files)).toEqual([]);
  });

  it('name files that exist', () => {
    const known = new Set(files.map((file) => file.path));
    const faults = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => target !== undefined && !known.has(target))
        .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`),
    );
    expect(faults).toEqual([]);
  });

  it('reach into a framework package only for types, with a comment that says why', () => {
    const faults = files.flatMap((file) =>
      file.imports
        .filter(({ specifier }) => /^(@[^/]+\/[^/]+|[^@./][^/:]*)\/.+/.test(specifier))
        .filter(({ line, typeOnly }) => !typeOnly || !/^\s*(\/\/|\*)/.test(file.text.split('\n')[line - 2] ?? ''))
        .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`),
    );
    expect(faults).toEqual([]);
  });
});

function inLib(path: string): string {
  return path.replace(/^lib\//, '');
}

function isEntry(path: string): boolean {
  return entries.includes(path) || path.endsWith('/index.ts');
}

function onlyReExports(file: SourceFile): boolean {
  return (
    file.ast.statements.length > 0 && file.ast.statements.every((node) => /^export\b[^=]*\bfrom\b/.test(node.getText()))
  );
}

function findCycles(all: readonly SourceFile[]): readonly string[] {
  const targets = new Map(all.map((file) => [file.path, file.imports.flatMap(({ target }) => target ?? [])]));
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      cycles.push([...trail.slice(start), path].join(' -> '));
      return;
    }
    if (finished.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const file of all) visit(file.path, []);
  return cycles;
}
