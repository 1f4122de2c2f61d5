import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../support/own-redis.js';
import { medianOf } from './carry-out.js';
import type { Request } from './orders.js';
import { queueName } from './subject.js';

/** Builds our program around Go's asynq; a reason why not, when there is no Go or it does not build. */
export function buildGoProgram(): { program: string } | { missing: string } {
  const folder = join(root, 'bench/go');
  const program = join(folder, 'bin/bench');
  const { error, status, stderr } = spawnSync('go', ['build', '-o', program, '.'], { cwd: folder, encoding: 'utf8' });
  if (error !== undefined) return { missing: 'there is no Go on this machine' };
  if (status !== 0 || !existsSync(program)) return { missing: `bench/go does not build: ${stderr.trim()}` };
  return { program };
}

/** Go's asynq, run by our program in bench/go; each order is a process of its own. */
export class GoSubject {
  readonly name = 'asynq-go';

  constructor(readonly program: string) {}

  async measure(request: Request): Promise<number> {
    const shared = ['-redis', request.redis, '-queue', queueName, '-n', String(request.tasks)];
    switch (request.kind) {
      case 'enqueue':
        return rateIn(await this.#run(['enqueue', ...shared, '-callers', String(request.callers)]));
      case 'process':
        return rateIn(await this.#run(['process', ...shared, '-concurrency', String(request.concurrency)]));
      case 'pickup': {
        const idle = ['idle', ...shared, '-concurrency', '10'];
        const lines = await this.#run(idle, () => this.#run(['pickup', ...shared, '-gap', `${request.gapMs}ms`]));
        return medianOf((lines.at(-1) as { millis: readonly number[] }).millis);
      }
      case 'enqueue-many':
      case 'round-trip':
      case 'fill':
        throw new Error(`asynq-go has no ${request.kind}`);
    }
  }

  close(): void {}

  /** Runs the program to its end; `onReady` is called when it says that it is ready. */
  async #run(args: readonly string[], onReady?: () => Promise<unknown>): Promise<readonly object[]> {
    const child = spawn(this.program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const lines: object[] = [];
    let others: Promise<unknown> | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(JSON.parse(line) as object);
      if (line.includes('"ready"')) others = onReady?.();
    }
    await others;
    const status = await ended;
    if (status !== 0) throw new Error(`${this.program} ${args.join(' ')} ended with status ${status}`);
    return lines;
  }
}

function rateIn(lines: readonly object[]): number {
  return (lines.at(-1) as { perSecond: number }).perSecond;
}
