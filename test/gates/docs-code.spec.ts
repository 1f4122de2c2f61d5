import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { listFiles, readText, root } from './source-tree.js';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...listFiles('docs', isPage),
  ...listFiles('sample', isPage),
];
const entries: Readonly<Record<string, string>> = {
  'nestjs-asynq': 'lib/index.ts',
  'nestjs-asynq/core': 'lib/core.ts',
  'nestjs-asynq/testing': 'lib/testing/index.ts',
};

// The README is read on npm as well, so its links are whole; they lead to files of this repository all the same.
const home = 'https://github.com/nestjs-asynq/nestjs-asynq/blob/main/';

describe('the documentation', () => {
  it('has code that compiles', () => {
    const blocks = pages.flatMap(codeBlocks);
    expect(blocks.length).toBeGreaterThan(10);
    expect(compile(blocks)).toEqual([]);
  });

  it('links to files and headings that exist', () => {
    const faults = pages.flatMap((page) =>
      [...withoutCode(readPage(page)).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link]) => link ?? '')
        .filter((link) => !/^[a-z]+:/.test(link) && !isThere(page, link))
        .map((link) => `${page}: ${link}`),
    );
    expect(faults).toEqual([]);
  });

  it('names everything that is exported', () => {
    const text = pages.map(readText).join('\n');
    const names = Object.values(entries).flatMap((entry) =>
      [...readText(entry).matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(
        ([, list = '']) => list.match(/\w+/g) ?? [],
      ),
    );
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });

  it('is reached from the README', () => {
    const reached = new Set(['README.md', 'CHANGELOG.md']);
    for (const page of reached) {
      for (const [, link] of readPage(page).matchAll(/\]\(([^)#\s]+\.md)(?:#[^)]*)?\)/g)) {
        const target = join(dirname(page), link ?? '');
        if (existsSync(join(root, target))) reached.add(target);
      }
    }
    expect(pages.filter((page) => !reached.has(page))).toEqual([]);
  });
});

function readPage(page: string): string {
  return readText(page).replaceAll(home, '');
}

function isPage(path: string): boolean {
  return path.endsWith('.md');
}

interface Block {
  /** Name of the module it is compiled as; says where it stands. */
  readonly name: string;
  readonly code: string;
}

// A block is a module of its own and imports what it uses. Values that a fragment takes for granted stand in a comment
// before it, with types that the block imports or that are written out there:
// <!-- given: declare const asynq: import('nestjs-asynq').AsynqClient; -->
function codeBlocks(page: string): readonly Block[] {
  const text = readText(page);
  return [...text.matchAll(/(?:<!-- given: ((?:(?!-->).)*) -->\n+)?^```ts\n(.*?)^```$/gms)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    return { name: `${page.replace(/[^\w]/g, '-')}-line-${line}.ts`, code: `${match[2] ?? ''}\n${match[1] ?? ''}` };
  });
}

const config: unknown = JSON.parse(readText('tsconfig.json'));
const options: ts.CompilerOptions = {
  ...ts.parseJsonConfigFileContent(config, ts.sys, root).options,
  noEmit: true,
  noUnusedLocals: false,
  noUnusedParameters: false,
  paths: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, [`./${path}`]])),
};

function compile(blocks: readonly Block[]): readonly string[] {
  const folder = join(root, 'docs');
  const scan = ts.createProgram(
    Object.values(entries).map((path) => join(root, path)),
    options,
  );
  const sources = new Map(blocks.map(({ name, code }) => [join(folder, name), `${code}\nexport {};\n`]));
  const files = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...files,
    fileExists: (path) => sources.has(path) || files.fileExists(path),
    readFile: (path) => sources.get(path) ?? files.readFile(path),
    getSourceFile: (path, language, ...rest) => {
      const source = sources.get(path);
      if (source === undefined) return files.getSourceFile(path, language, ...rest);
      return ts.createSourceFile(path, source, language, true);
    },
  };
  const program = ts.createProgram({ rootNames: [...sources.keys()], options, host, oldProgram: scan });
  return [...sources.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((fault) => {
      const line = file?.getLineAndCharacterOfPosition(fault.start ?? 0).line ?? 0;
      const shown = sources.get(path)?.split('\n')[line]?.trim();
      return `${path.slice(folder.length + 1)}: ${ts.flattenDiagnosticMessageText(fault.messageText, ' ')} [${shown}]`;
    });
  });
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '');
}

function isThere(page: string, link: string): boolean {
  const [file, heading] = link.split('#');
  const target = file === '' || file === undefined ? page : join(dirname(page), file);
  if (!existsSync(join(root, target))) return false;
  if (heading === undefined) return true;
  const text = readText(target);
  if (text.includes(`<a id="${heading}"></a>`)) return true;
  return [...text.matchAll(/^#+ (.+)$/gm)].some(([, title]) => slug(title ?? '') === heading);
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
