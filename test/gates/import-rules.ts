import { readText } from './source-tree.js';

/** One row of the table in docs/architecture.md. Paths are relative to lib/. */
export interface ImportRule {
  /** Folder or file the row is about. */
  readonly subject: string;
  /** Folders and files it may import. */
  readonly mayImport: readonly string[];
  /** Packages it may import; `node:*` stands for every module of Node. */
  readonly packages: readonly string[];
}

/** Reads the table that says who may import whom. */
export function readImportRules(): readonly ImportRule[] {
  const lines = readText('docs/architecture.md').split('\n');
  const head = lines.findIndex((line) => /^\|\s*folder or file\s*\|\s*may import\s*\|/.test(line));
  if (head === -1) throw new Error('docs/architecture.md has no table "folder or file | may import | ..."');
  const rules: ImportRule[] = [];
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) break;
    const [subjects, mayImport, packages] = line.split('|').slice(1, -1).map(namesIn);
    for (const subject of subjects ?? []) {
      rules.push({ subject, mayImport: mayImport ?? [], packages: packages ?? [] });
    }
  }
  return rules;
}

/** The row for a file of lib/: the most specific one. */
export function ruleFor(rules: readonly ImportRule[], path: string): ImportRule | undefined {
  return rules
    .filter((rule) => isWithin(path, rule.subject))
    .reduce<ImportRule | undefined>(
      (best, rule) => (best === undefined || rule.subject.length > best.subject.length ? rule : best),
      undefined,
    );
}

/** Whether a file is that file, or lies in that folder. */
export function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

/** Whether a package, or a path into it, is in the list. */
export function isPackageAllowed(packages: readonly string[], specifier: string): boolean {
  return packages.some(
    (allowed) =>
      specifier === allowed ||
      specifier.startsWith(`${allowed}/`) ||
      (allowed === 'node:*' && specifier.startsWith('node:')),
  );
}

function namesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
}
