import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './own-redis.js';

/** Builds our program around Go's asynq; a reason why not, when there is no Go or it does not build. */
export function buildGoProgram(): { program: string } | { missing: string } {
  const folder = join(root, 'bench/go');
  const program = join(folder, 'bin/bench');
  const { error, status, stderr } = spawnSync('go', ['build', '-o', program, '.'], { cwd: folder, encoding: 'utf8' });
  if (error !== undefined) return { missing: 'there is no Go on this machine' };
  if (status !== 0 || !existsSync(program)) return { missing: `bench/go does not build: ${stderr.trim()}` };
  return { program };
}

/**
 * Runs the program to its end and resolves with the lines that it printed. `onReady` is called when it says that it is
 * ready; `limitMs` ends it.
 *
 * @throws Error when it ends with another status than 0, or is ended.
 */
export async function runGo(
  program: string,
  args: readonly string[],
  { onReady, limitMs = 0 }: { readonly onReady?: () => Promise<unknown>; readonly limitMs?: number } = {},
): Promise<readonly object[]> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: limitMs, killSignal: 'SIGKILL' });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const lines: object[] = [];
  let others: Promise<unknown> | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(JSON.parse(line) as object);
    if (line.includes('"ready"')) others = onReady?.();
  }
  await others;
  const status = await ended;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with status ${status}`);
  return lines;
}
