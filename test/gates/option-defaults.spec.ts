import ts from 'typescript';
import { parseFolder, readText } from './source-tree.js';

describe('the options that users write', () => {
  const entries = ['lib/index.ts', 'lib/core.ts', 'lib/testing/index.ts'].map(readText).join('\n');
  const interfaces = parseFolder('lib')
    .flatMap(({ ast }) => ast.statements.filter(ts.isInterfaceDeclaration))
    .filter(({ name }) => /^(?!Resolved).*Options$/.test(name.text) && new RegExp(`\\b${name.text}\\b`).test(entries));

  it('say their default in their comment', () => {
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
});

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
