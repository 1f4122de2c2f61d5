// Builds the library, and then a sample or the benchmarks, when their sources are newer than what was built:
//   node scripts/prepare.mjs [sample/01-email] [bench]
// Everything goes to standard error, so that what comes next may print to standard output alone.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));

export function prepare(...folders) {
  const shared = ['package.json', 'package-lock.json', 'tsconfig.json'];
  buildIfOlder('the library', {
    output: 'dist/cjs/package.json',
    sources: ['lib', 'tsconfig.build.json', 'tsconfig.cjs.json', 'scripts/finish-build.mjs', ...shared],
    command: ['npm', 'run', 'build'],
  });
  for (const folder of folders) {
    const source = existsSync(join(root, folder, 'src')) ? `${folder}/src` : folder;
    buildIfOlder(folder, {
      output: `${folder}/dist/.built`,
      sources: [source, `${folder}/tsconfig.json`, 'tsconfig.json'],
      command: ['node_modules/.bin/tsc', '-p', `${folder}/tsconfig.json`, '--noCheck', '--incremental', 'false'],
    });
  }
}

function buildIfOlder(name, { output, sources, command: [program, ...args] }) {
  const stamp = join(root, output);
  if (existsSync(stamp) && statSync(stamp).mtimeMs > Math.max(...sources.map((path) => newest(join(root, path)))))
    return;
  console.error(`Building ${name} ...`);
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) {
    console.error(`${stdout}${stderr}`);
    process.exit(status ?? 1);
  }
  if (output.endsWith('.built')) writeFileSync(stamp, '');
}

function newest(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  const names = readdirSync(path).filter((name) => !['dist', 'node_modules', 'out', 'go'].includes(name));
  return Math.max(0, ...names.map((name) => newest(join(path, name))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepare(...process.argv.slice(2));
