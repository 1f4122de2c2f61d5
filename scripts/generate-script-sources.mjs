// Turns lib/redis/scripts/*.lua into a TypeScript module, so that both package formats carry them without reading files.
// Comments are left out: the server keeps the text, not the reader.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../lib/redis/scripts/', import.meta.url);
const target = new URL('../lib/redis/generated/script-sources.ts', import.meta.url);

const files = readdirSync(folder)
  .filter((name) => name.endsWith('.lua'))
  .sort();

const entries = files.map((name) => {
  const source = readFileSync(new URL(name, folder), 'utf8')
    .split('\n')
    .filter((line) => !/^\s*--/.test(line) && line.trim() !== '')
    .map((line) => line.trim())
    .join('\n');
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
