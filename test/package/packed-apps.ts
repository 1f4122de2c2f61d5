import { execFile, type ExecFileException, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { until } from '../support/until.js';

const root = resolve(__dirname, '../..');
const packed = ['lib', 'scripts', 'package.json', 'nest-cli.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
const configs = ['tsconfig.json', 'tsconfig.build.json', 'tsconfig.cjs.json'];

/** The package as users get it, and small applications that have it installed. */
export interface PackedApps {
  /** The installed package in the application without Nest. */
  readonly packageFolder: string;
  readonly folderOf: (app: AppName) => string;
  readonly remove: () => Promise<void>;
}

export type AppName = 'plain' | 'nest11' | 'nest12';

/** Builds and packs a copy of the repository, so that its own dist is left alone, and installs it into every app. */
export async function packApps(): Promise<PackedApps> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-asynq-package-'));
  const tarball = await pack(join(folder, 'source'));
  const folderOf = (app: AppName): string => join(folder, app);
  await Promise.all(
    (['plain', 'nest11', 'nest12'] as const).map(async (app) => {
      await cp(join(__dirname, 'apps', app), folderOf(app), { recursive: true });
      if (app !== 'plain') {
        await cp(join(__dirname, 'apps/shared'), join(folderOf(app), 'src'), { recursive: true });
      }
      await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], { cwd: folderOf(app) });
    }),
  );
  return {
    packageFolder: join(folderOf('plain'), 'node_modules/nestjs-asynq'),
    folderOf,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function pack(source: string): Promise<string> {
  await mkdir(source);
  const present = [...packed, ...configs].filter((path) => existsSync(join(root, path)));
  await Promise.all(present.map((path) => cp(join(root, path), join(source, path), { recursive: true })));
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
  // The build is part of packing.
  await run('npm', ['pack'], { cwd: source });
  const tarball = (await readdir(source)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack left no tarball');
  return join(source, tarball);
}

/** Runs a TypeScript compiler on a project; resolves with what it found fault with. */
export async function compile(project: string, compiler: 'of the app' | 'of the repository'): Promise<string> {
  const home = compiler === 'of the app' ? dirname(project) : root;
  const program = join(home, 'node_modules/typescript/bin/tsc');
  try {
    await run(process.execPath, [program, '-p', project], { cwd: dirname(project) });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Runs a program to its end; what it printed. Fails with everything it said. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const env = cleanEnv(options.env);
  return await new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void => {
      if (error === null) resolve(stdout);
      else reject(new Error(`"${program} ${args.join(' ')}" failed: ${error.message}\n${stdout}\n${stderr}`));
    };
    execFile(program, args, { cwd: options.cwd, env, timeout: 200_000, maxBuffer: 2 ** 26 }, done);
  });
}

/** Runs lines of JavaScript in an application, as a module or as a script. */
export async function evaluate(
  folder: string,
  code: { readonly as: 'module' | 'script'; readonly text: string },
): Promise<string> {
  const type = code.as === 'module' ? 'module' : 'commonjs';
  return (await run(process.execPath, [`--input-type=${type}`, '--eval', code.text], { cwd: folder })).trim();
}

/** A program that runs until it is told to end. */
export interface RunningProgram {
  /** Resolves once it has printed that text. */
  readonly said: (text: string) => Promise<void>;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly hasEnded: () => boolean;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** Starts an application's `dist/main.js`. */
export function startProgram(folder: string, env: Readonly<Record<string, string>>): RunningProgram {
  const child = spawn(process.execPath, ['dist/main.js'], { cwd: folder, env: cleanEnv(env) });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  let hasEnded = false;
  const ended = new Promise<number | string | null>((resolve) => {
    child.on('exit', (code, signal) => {
      hasEnded = true;
      resolve(code ?? signal);
    });
  });
  return {
    said: async (text) => void (await until(`it said ${text}, after\n${output}`, () => output.includes(text))),
    signal: (signal) => void child.kill(signal),
    hasEnded: () => hasEnded,
    ended,
  };
}

// A test run's own flags must not reach the programs it starts.
function cleanEnv(env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _flags, ...rest } = process.env;
  return { ...rest, ...env };
}
