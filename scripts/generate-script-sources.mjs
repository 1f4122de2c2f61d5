// Turns lib/redis/scripts/*.lua into a TypeScript module, so that both package formats carry them without reading files.
// Comments are left out: the server keeps the text, not the reader. Lua files cannot import each other, so a line
// `-- include: name` is replaced by the code of scripts/include/name.lua, also inside of a function or a branch: there its
// functions are made only when they are needed.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../lib/redis/scripts/', import.meta.url);
const includes = new URL('include/', folder);
const target = new URL('../lib/redis/generated/script-sources.ts', import.meta.url);

const codeOf = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .map((line) => {
      const [, name] = /^-- include: ([\w-]+)$/.exec(line) ?? [];
      return name === undefined ? line : codeOf(new URL(`${name}.lua`, includes));
    })
    .filter((line) => line !== '' && !line.startsWith('--'))
    .join('\n');

const files = readdirSync(folder)
  .filter((name) => name.endsWith('.lua'))
  .sort();

const entries = files.map((name) => {
  const source = codeOf(new URL(name, folder));
  const sha = createHash('sha1').update(source).digest('hex');
  return `  ${JSON.stringify(name)}: {\n    sha: '${sha}',\n    source: ${JSON.stringify(source)},\n  },`;
});

const text = `// Generated from lib/redis/scripts by "npm run generate"; do not edit.
/** The Lua scripts, comments left out, with the hashes under which a server knows them. */
export const scriptSources = {
${entries.join('\n')}
} as const;

/** Name of a script's file. */
export type ScriptFile = keyof typeof scriptSources;
`;

if (process.argv.includes('--check')) {
  const current = readFileSync(target, 'utf8');
  if (current !== text) {
    console.error('lib/redis/generated is out of date: run "npm run generate"');
    process.exit(1);
  }
} else {
  mkdirSync(new URL('.', target), { recursive: true });
  writeFileSync(target, text);
}
