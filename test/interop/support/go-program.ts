import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { sharedRedisUrl } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

const goFolder = join(__dirname, '..', 'go');
const binFolder = join(goFolder, 'bin');

/** Long enough for a first build, which fetches and compiles the modules. For `beforeAll` of every interop spec. */
export const goBuildLimit = 600_000;

/** The program of test/interop/go, built once for each version of its sources. */
export async function buildGoProgram(): Promise<string> {
  const program = join(binFolder, `interop-${sourceHash()}`);
  if (existsSync(program)) return program;
  mkdirSync(binFolder, { recursive: true });
  const lock = `${program}.lock`;
  if (!takeLock(lock)) {
    await until('another test has built the Go program', () => existsSync(program) || !existsSync(lock), {
      within: goBuildLimit,
    });
    return await buildGoProgram();
  }
  try {
    // Renamed when complete: a test that runs beside this one must not start half a program.
    await promisify(execFile)('go', ['build', '-buildvcs=false', '-o', `${program}.new`, '.'], { cwd: goFolder });
    renameSync(`${program}.new`, program);
  } finally {
    rmSync(lock, { force: true });
  }
  for (const file of readdirSync(binFolder)) {
    if (!file.startsWith(`interop-${sourceHash()}`)) rmSync(join(binFolder, file), { force: true });
  }
  return program;
}

function sourceHash(): string {
  const hash = createHash('sha256').update(process.platform + process.arch);
  const sources = readdirSync(goFolder).filter((file) => /\.go$|^go\./.test(file));
  for (const file of sources.sort()) hash.update(file).update(readFileSync(join(goFolder, file)));
  return hash.digest('hex').slice(0, 12);
}

function takeLock(lock: string): boolean {
  // A build that was interrupted leaves its lock behind.
  if (existsSync(lock) && statSync(lock).mtimeMs < Date.now() - goBuildLimit) rmSync(lock, { force: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

export interface GoProgramOptions {
  /** Where its Redis is; the shared one by default. */
  readonly url?: string;
  readonly config?: unknown;
}

/** A running Go program that speaks JSON lines. It ends with this process, whatever happens. */
export class GoProgram<Line> {
  /** Everything it has said, oldest first. */
  readonly lines: Line[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<number | null>;
  #complaints = '';
  #answers: ((line: Line) => void)[] = [];

  private constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process;
    this.#exited = new Promise((resolve) => process.once('close', resolve));
    createInterface({ input: process.stdout }).on('line', (text) => this.#take(JSON.parse(text) as Line));
    process.stderr.on('data', (text: Buffer) => (this.#complaints += text.toString()));
    // Writing to a program that was killed is not the test's failure; waiting for its answer is.
    process.stdin.on('error', () => undefined);
  }

  static async start<Line>(subcommand: string, options: GoProgramOptions = {}): Promise<GoProgram<Line>> {
    const program = await buildGoProgram();
    const args = [subcommand, '-redis', options.url ?? sharedRedisUrl()];
    if (options.config !== undefined) args.push('-config', JSON.stringify(options.config));
    return new GoProgram<Line>(spawn(program, args));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  send(request: unknown): void {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
  }

  /** Sends a request and resolves with its answer; for programs that answer every line with a line. */
  async ask(request: unknown): Promise<Line> {
    const answer = new Promise<Line>((resolve) => this.#answers.push(resolve));
    this.send(request);
    return await Promise.race([answer, this.#death()]);
  }

  /** Waits for the first line, past or future, that fits. */
  async waitFor(description: string, fits: (line: Line) => boolean): Promise<Line> {
    let line: Line | undefined;
    await until(`Go says ${description}`, () => {
      line = this.lines.find(fits);
      if (line === undefined && this.#process.exitCode !== null) throw new Error(`it has ended: ${this.#complaints}`);
      return line !== undefined;
    });
    return line as Line;
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  /** Ends it by the end of its input. */
  async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#exited;
  }

  /** Resolves once it has ended by itself. */
  async exited(): Promise<number | null> {
    return await this.#exited;
  }

  async #death(): Promise<never> {
    const code = await this.#exited;
    throw new Error(`The Go program ended with ${code}: ${this.#complaints}`);
  }

  #take(line: Line): void {
    this.lines.push(line);
    this.#answers.shift()?.(line);
  }
}
