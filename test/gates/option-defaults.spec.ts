import ts from 'typescript';
import { lineOf, nodesOf, parseFolder, readText } from './source-tree.js';

const library = parseFolder('lib');

describe('the options that users write', () => {
  const entries = ['lib/index.ts', 'lib/core.ts', 'lib/testing/index.ts'].map(readText).join('\n');
  const interfaces = library
    .flatMap(({ ast }) => ast.statements.filter(ts.isInterfaceDeclaration))
    .filter(({ name }) => /^(?!Resolved).*Options$/.test(name.text) && new RegExp(`\\b${name.text}\\b`).test(entries));

  it('state their default in their comment', () => {
    expect(interfaces.length).toBeGreaterThan(20);
    const silent = optionsOf(interfaces)
      .filter(({ comment }) => !/\bDefault\b/.test(comment))
      .map(({ name }) => name);
    expect(silent).toEqual([]);
  });

  // Where undefined leads to another Redis than was meant, exactOptionalPropertyTypes is to tell.
  it('may be undefined, except where tasks are kept', () => {
    const options = optionsOf(interfaces);
    const strict = options.filter(({ type }) => type !== 'unknown' && !type.endsWith('| undefined'));
    const names = new Set(strict.map(({ name }) => name.slice(name.indexOf('.') + 1)));
    expect([...names].toSorted()).toEqual(['broker', 'redis']);
  });

  it('have each default defined in one place', () => {
    const names = new Set(optionsOf(interfaces).map(({ name }) => name.slice(name.indexOf('.') + 1)));
    const places = new Map<string, string[]>();
    for (const file of library) {
      for (const node of nodesOf(file.ast)) {
        const name = defaultedOption(node);
        if (name === undefined || !names.has(name)) continue;
        places.set(name, [...(places.get(name) ?? []), `${file.path}:${lineOf(file.ast, node)}`]);
      }
    }
    expect(places.size).toBeGreaterThan(15);
    expect([...places].filter(([, where]) => where.length > 1)).toEqual([]);
  });
});

describe('limits', () => {
  // Bytes of the wire are numbers, too; each codec has its own.
  const isAboutBytes = (path: string): boolean => /^lib\/(redis\/connection|model\/wire)\//.test(path);

  it('are each defined in one place', () => {
    const places = new Map<string, string[]>();
    for (const { path, ast } of library.filter((file) => !isAboutBytes(file.path))) {
      const constants = ast.statements
        .filter(ts.isVariableStatement)
        .flatMap((node) => node.declarationList.declarations);
      for (const { name, initializer } of constants) {
        if (initializer === undefined || !isLiteralValue(initializer)) continue;
        const limit = `${name.getText(ast)} = ${initializer.getText(ast)}`;
        places.set(limit, [...(places.get(limit) ?? []), path]);
      }
    }
    expect([...places].filter(([, where]) => where.length > 1)).toEqual([]);
  });
});

/** The option that a node gives a default by a literal: `name = '8s'` in a pattern, `x.name ?? 8`, `length('name', '8s')`. */
function defaultedOption(node: ts.Node): string | undefined {
  if (ts.isBindingElement(node) && node.initializer !== undefined && isLiteralValue(node.initializer)) {
    return (node.propertyName ?? node.name).getText();
  }
  if (
    ts.isBinaryExpression(node) &&
    node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken &&
    isLiteralValue(node.right)
  ) {
    return ts.isPropertyAccessExpression(node.left) ? node.left.name.text : undefined;
  }
  if (!ts.isCallExpression(node)) return undefined;
  const [name, value] = node.arguments;
  return name !== undefined && ts.isStringLiteral(name) && value !== undefined && isLiteralValue(value)
    ? name.text
    : undefined;
}

/** A number, a text, `true` or `false`, also with a unit: `ms(1_000)`. An empty text only stands for nothing. */
function isLiteralValue(node: ts.Expression): boolean {
  if (ts.isCallExpression(node)) return node.expression.getText() === 'ms' && node.arguments.every(isLiteralValue);
  if (ts.isBinaryExpression(node)) return isLiteralValue(node.left) && isLiteralValue(node.right);
  return (
    ts.isNumericLiteral(node) ||
    (ts.isStringLiteral(node) && node.text !== '') ||
    node.kind === ts.SyntaxKind.TrueKeyword ||
    node.kind === ts.SyntaxKind.FalseKeyword
  );
}

interface Option {
  /** `ServerOptions.concurrency` */
  readonly name: string;
  readonly type: string;
  readonly comment: string;
}

function optionsOf(interfaces: readonly ts.InterfaceDeclaration[]): readonly Option[] {
  return interfaces.flatMap((node) =>
    node.members
      .filter(ts.isPropertySignature)
      .filter(({ questionToken }) => questionToken !== undefined)
      .map((member) => ({
        name: `${node.name.text}.${member.name.getText()}`,
        type: member.type?.getText() ?? '',
        comment: ts
          .getJSDocCommentsAndTags(member)
          .map((comment) => comment.getText())
          .join(' '),
      })),
  );
}
