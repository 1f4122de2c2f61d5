import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import ts from 'typescript';

/** The repository's root. */
export const root = resolve(import.meta.dirname, '../..');

/** One import or re-export of a source file. */
export interface ImportStatement {
  readonly specifier: string;
  readonly line: number;
  readonly typeOnly: boolean;
  /** Names taken; `*` for a namespace import or an export of everything. */
  readonly names: readonly string[];
  /** The file it means, relative to the root, when it is one of ours. */
  readonly target: string | undefined;
}

/** A source file with what it imports. */
export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
  readonly imports: readonly ImportStatement[];
}

/** Reads a file of the repository. */
export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Paths of the files under a folder, relative to the root; build output and installed packages left out. */
export function listFiles(folder: string, keep: (path: string) => boolean = () => true): readonly string[] {
  const found: string[] = [];
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (['node_modules', 'dist', 'out', 'bin'].includes(entry.name)) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) found.push(relative(root, path).split(sep).join('/'));
    }
  };
  walk(join(root, folder));
  return found.filter(keep).sort();
}

/** Parses the TypeScript files under a folder. */
export function parseFolder(folder: string): readonly SourceFile[] {
  return listFiles(folder, (path) => path.endsWith('.ts')).map((path) => {
    const text = readText(path);
    const ast = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
    return { path, text, ast, imports: importsOf(ast) };
  });
}

/** Every node of a file, outermost first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

/** The 1-based line of a node. */
export function lineOf(ast: ts.SourceFile, node: ts.Node): number {
  return ast.getLineAndCharacterOfPosition(node.getStart(ast)).line + 1;
}

function importsOf(ast: ts.SourceFile): readonly ImportStatement[] {
  const found: ImportStatement[] = [];
  const add = (node: ts.Node, specifier: string, typeOnly: boolean, names: readonly string[]): void => {
    found.push({ specifier, line: lineOf(ast, node), typeOnly, names, target: targetOf(ast.fileName, specifier) });
  };
  for (const node of nodesOf(ast)) {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const elements = clause?.namedBindings;
      const named = elements !== undefined && ts.isNamedImports(elements) ? elements.elements : [];
      const names = named.map((element) => (element.propertyName ?? element.name).text);
      if (elements !== undefined && ts.isNamespaceImport(elements)) names.push('*');
      if (clause?.name !== undefined) names.push('default');
      const eachIsType = named.length > 0 && named.every((element) => element.isTypeOnly);
      add(node, node.moduleSpecifier.text, clause?.isTypeOnly === true || eachIsType, names);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      const clause = node.exportClause;
      const names =
        clause !== undefined && ts.isNamedExports(clause)
          ? clause.elements.map((element) => (element.propertyName ?? element.name).text)
          : ['*'];
      add(node, (node.moduleSpecifier as ts.StringLiteral).text, node.isTypeOnly, names);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node, (node.argument.literal as ts.StringLiteral).text, true, ['*']);
    } else if (ts.isCallExpression(node) && isModuleLoad(node)) {
      const [argument] = node.arguments;
      add(node, argument !== undefined && ts.isStringLiteral(argument) ? argument.text : '(computed)', false, ['*']);
    }
  }
  return found;
}

function isModuleLoad(node: ts.CallExpression): boolean {
  const callee = node.expression;
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

function targetOf(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(dirname(path), specifier).replace(/\.js$/, '.ts');
}
