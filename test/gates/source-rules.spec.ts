import { execFileSync } from 'node:child_process';
import ts from 'typescript';
import { lineOf, listFiles, nodesOf, parseFolder, readText, root, type SourceFile } from './source-tree.js';

const maxLines = 300;
const library = parseFolder('lib');

describe('source files', () => {
  it('have at most 300 lines, or say why at the top', () => {
    const faults = ['lib', 'test', 'bench', 'sample', 'scripts']
      .flatMap((folder) => listFiles(folder, isWrittenByHand))
      .map((path) => ({ path, text: readText(path) }))
      .filter(({ text }) => text.split('\n').length - 1 > maxLines && !/^\/\/ Over 300 lines: \S/.test(text))
      .map(({ path, text }) => `${path}: ${text.split('\n').length - 1} lines`);
    expect(faults).toEqual([]);
  });

  it('read the time, set timers and draw random numbers only in system-clock.ts', () => {
    const faults = library
      .filter((file) => file.path !== 'lib/engine/system-clock.ts')
      .flatMap((file) => timeUses(file).map((use) => `${file.path}: ${use}`));
    expect(faults).toEqual([]);
  });

  it('wait with a limit or a signal only through model/time/wait.ts', () => {
    const faults = library
      .filter((file) => file.path !== 'lib/model/time/wait.ts')
      .flatMap((file) => ownWaits(file).map((line) => `${file.path}:${line}`));
    expect(faults).toEqual([]);
  });

  it('name only existing files in their comments', () => {
    const paths = ['lib', 'test', 'bench', 'scripts', 'docs'].flatMap((folder) => listFiles(folder));
    const faults = library.flatMap(({ path, text }) =>
      [...text.matchAll(/^.*?(?:\/\/|\*) .*$/gm)]
        .flatMap(([comment]) => comment.match(/(?:[\w-]+\/)+[\w.-]+\.(?:ts|mjs|lua|md)\b/g) ?? [])
        .filter((named) => !paths.some((known) => known === named || known.endsWith(`/${named}`)))
        .map((named) => `${path}: ${named}`),
    );
    expect(faults).toEqual([]);
  });

  it('contain the scripts as in the .lua files', () => {
    expect(() =>
      execFileSync(process.execPath, ['scripts/generate-script-sources.mjs', '--check'], { cwd: root }),
    ).not.toThrow();
  });

  it('use nothing that is missing in one of the two package formats', () => {
    const faults = library.flatMap((file) =>
      [...nodesOf(file.ast)]
        .filter(
          (node) =>
            (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) ||
            (ts.isIdentifier(node) && ['__dirname', '__filename'].includes(node.text)) ||
            (ts.isAwaitExpression(node) && isTopLevel(node)),
        )
        .map((node) => `${file.path}:${lineOf(file.ast, node)}: ${node.getText(file.ast).slice(0, 40)}`),
    );
    expect(faults).toEqual([]);
  });
});

function isWrittenByHand(path: string): boolean {
  return /\.(ts|mjs|mts|go|lua)$/.test(path) && !path.includes('/generated/') && !path.includes('/apps/');
}

const forbiddenCalls = new Set(['setTimeout', 'setInterval', 'performance']);
const forbiddenMembers = new Set([
  'Date.now',
  'Math.random',
  'performance.now',
  'process.hrtime',
  'crypto.getRandomValues',
]);

function timeUses(file: SourceFile): readonly string[] {
  const found: string[] = [];
  for (const node of nodesOf(file.ast)) {
    const text = node.getText(file.ast);
    const isBareDate = ts.isNewExpression(node) && text.startsWith('new Date') && (node.arguments?.length ?? 0) === 0;
    const isMember = ts.isPropertyAccessExpression(node) && forbiddenMembers.has(text.replace('globalThis.', ''));
    const isCall = ts.isIdentifier(node) && forbiddenCalls.has(node.text) && isRead(node);
    const isModule = ts.isStringLiteral(node) && /^(node:)?(timers|perf_hooks)(\/|$)/.test(node.text);
    if (isBareDate || isMember || isCall || isModule) found.push(`line ${lineOf(file.ast, node)}: ${text}`);
  }
  return found;
}

/** Lines on which a promise is made of a timer or a signal. */
function ownWaits(file: SourceFile): readonly number[] {
  return [...nodesOf(file.ast)]
    .filter(ts.isNewExpression)
    .filter((node) => /^new Promise\b[^]*\b(setTimer\(|addEventListener\('abort')/.test(node.getText(file.ast)))
    .map((node) => lineOf(file.ast, node));
}

// A property or method of ours may be called setTimeout; reading the global one is what is forbidden.
function isRead(node: ts.Identifier): boolean {
  const { parent } = node;
  const isOwnName = 'name' in parent && parent.name === node && !ts.isImportSpecifier(parent);
  return !isOwnName || (ts.isPropertyAccessExpression(parent) && parent.expression.getText() === 'globalThis');
}

function isTopLevel(node: ts.Node): boolean {
  for (let above = node.parent; above !== undefined; above = above.parent) {
    if (ts.isFunctionLike(above) || ts.isClassStaticBlockDeclaration(above)) return false;
  }
  return true;
}
