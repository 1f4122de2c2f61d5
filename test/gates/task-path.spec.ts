import ts from 'typescript';
import { nodesOf, parseFolder, readText } from './source-tree.js';

const library = new Map(parseFolder('lib').map((file) => [file.path, file]));
const steps = stepsOf(readText('docs/architecture.md'));

describe('the path of a task in docs/architecture.md', () => {
  it('has at most 12 steps, each in a file of its own that exists', () => {
    expect(steps.length).toBeGreaterThan(8);
    expect(steps.length).toBeLessThanOrEqual(12);
    expect(new Set(steps).size).toBe(steps.length);
    expect(steps.filter((path) => !library.has(path))).toEqual([]);
  });

  it('goes one way: no step calls an earlier one', () => {
    const back = steps.flatMap((path, index) =>
      (library.get(path)?.imports ?? [])
        .filter(({ typeOnly, target }) => !typeOnly && target !== undefined && steps.slice(0, index).includes(target))
        .map(({ target }) => `${path} runs code of ${String(target)}`),
    );
    expect(back).toEqual([]);
  });
});

describe('the services of a server', () => {
  it('are created in one pass, without references to later constants', () => {
    const file = library.get('lib/engine/server/server-services.ts');
    const make = file?.ast.statements.find(
      (node): node is ts.FunctionDeclaration =>
        ts.isFunctionDeclaration(node) && node.name?.text === 'createServerServices',
    );
    const constants = (make?.body?.statements ?? []).flatMap((node) =>
      ts.isVariableStatement(node) ? [...node.declarationList.declarations] : [],
    );
    const names = constants.map(({ name }) => name.getText());
    expect(names).toContain('processor');
    const late = constants.flatMap(({ initializer }, index) => {
      if (initializer === undefined) return [];
      const later = new Set(names.slice(index));
      return [...nodesOf(initializer)]
        .filter((node): node is ts.Identifier => ts.isIdentifier(node) && later.has(node.text) && isRead(node))
        .map((node) => `${String(names[index])} refers to ${node.text}`);
    });
    expect(late).toEqual([]);
  });
});

/** Whether an identifier stands for a value, and is not the name of a property. */
function isRead(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return !ts.isPropertyAssignment(parent) || parent.initializer === node;
}

/** The files of the numbered table, in order. */
function stepsOf(text: string): readonly string[] {
  return [...text.matchAll(/^\| \d+ +\| `([^`]+)`/gm)].map(([, path]) => `lib/${String(path)}`);
}
