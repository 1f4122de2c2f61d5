import ts from 'typescript';
import { listFiles, parseFolder, readText, type SourceFile } from './source-tree.js';

const library = parseFolder('lib');

describe('the library', () => {
  it('exports nothing that no other file of the library imports', () => {
    const imported = new Map<string, Set<string>>();
    for (const { target, names } of library.flatMap((file) => file.imports)) {
      if (target === undefined) continue;
      const known = imported.get(target) ?? new Set();
      for (const name of names) known.add(name);
      imported.set(target, known);
    }
    const unused = library
      .filter((file) => !isEntry(file) && !file.path.includes('/generated/'))
      .flatMap((file) => {
        const names = imported.get(file.path) ?? new Set();
        return exportsOf(file)
          .filter((name) => !names.has(name) && !names.has('*') && !isPartOfAnExport(file, name))
          .filter((name) => !isScriptContract(file, name) && !isReadingHalfOfCodec(file, name))
          .map((name) => `${file.path}: ${name}`);
      });
    expect(unused).toEqual([]);
  });

  it('has no default export', () => {
    const faults = library
      .filter((file) =>
        file.ast.statements.some((node) => ts.isExportAssignment(node) || /^export default\b/.test(node.getText())),
      )
      .map((file) => file.path);
    expect(faults).toEqual([]);
  });
});

describe('package.json', () => {
  const manifest = JSON.parse(readText('package.json')) as Record<string, Record<string, string>>;

  it('lists exactly the dependencies that the library imports', () => {
    const wanted = new Set(
      library.flatMap((file) => file.imports.flatMap(({ specifier }) => packageOf(specifier) ?? [])),
    );
    const listed = Object.keys({ ...manifest['dependencies'], ...manifest['peerDependencies'] });
    expect(listed.toSorted()).toEqual([...wanted].toSorted());
  });

  it('lists no development dependency that is never mentioned', () => {
    const folders = ['test', 'bench', 'sample', 'scripts'];
    const paths = folders.flatMap((folder) => listFiles(folder, (path) => /\.(ts|mts|mjs|json)$/.test(path)));
    const configs = ['package.json', 'nest-cli.json', 'jest.config.mjs', '.oxlintrc.json', 'tsconfig.json', '.ci/run'];
    const text = [...paths, ...configs].map(readText).join('\n');
    const unused = Object.keys(manifest['devDependencies'] ?? {}).filter((name) => !isMentioned(name, text));
    expect(unused).toEqual([]);
  });
});

function isEntry(file: SourceFile): boolean {
  return ['lib/index.ts', 'lib/core.ts', 'lib/testing/index.ts'].includes(file.path);
}

function exportsOf(file: SourceFile): readonly string[] {
  return file.ast.statements.flatMap((node) => {
    if (!ts.canHaveModifiers(node)) return [];
    if (!ts.getModifiers(node)?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isVariableStatement(node)) return node.declarationList.declarations.map((one) => one.name.getText(file.ast));
    const name = (node as ts.DeclarationStatement).name;
    return name === undefined ? [] : [name.getText(file.ast)];
  });
}

// A type that another export of the file is made of must be exported with it, or nobody could name it.
function isPartOfAnExport(file: SourceFile, name: string): boolean {
  const statement = file.ast.statements.find(
    (node) => 'name' in node && (node.name as ts.Node).getText(file.ast) === name,
  );
  const isType =
    statement !== undefined && (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement));
  return isType && new RegExp(`\\b${name}\\b`).test(file.text.replace(statement.getText(file.ast), ''));
}

// The test of the scripts reads every module of the folder and compares each contract with its Lua file.
function isScriptContract(file: SourceFile, name: string): boolean {
  return file.text.includes(`export const ${name} = defineScript(`);
}

// A record is read where it is written, so that one file holds its layout. The library writes some that only tools read.
function isReadingHalfOfCodec(file: SourceFile, name: string): boolean {
  return file.path.endsWith('.codec.ts') && exportsOf(file).includes(name.replace(/^decode/, 'encode'));
}

function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined;
  return specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0];
}

// The tools are run by name, are the types of something used, or come in by a peer's requirement.
const mentionedElsewhere: Readonly<Record<string, string>> = {
  '@nestjs/platform-express': 'NestFactory.create(',
  '@nestjs/schematics': '@nestjs/schematics"',
  '@swc/core': '@swc/jest',
  '@types/jest': '"jest"',
  '@types/node': '"node"',
  'oxlint-tsgolint': '--type-aware',
  typescript: 'tsc ',
  '@nestjs/cli': 'nest build',
};

function isMentioned(name: string, text: string): boolean {
  const types = name.startsWith('@types/') ? name.slice('@types/'.length) : undefined;
  const words = [
    mentionedElsewhere[name],
    `'${name}`,
    `"${name}"],`,
    `${name} -`,
    types && `'${types}'`,
    `"test": "${name}`,
  ];
  return words.some((word) => word !== undefined && word !== '' && text.includes(word));
}
