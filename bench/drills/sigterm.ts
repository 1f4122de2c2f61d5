import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { root, startOwnRedis } from '../support/own-redis.js';
import { type DrillContext, until } from './drill-context.js';

const shutdownTimeoutMs = 8_000;
const users = 30;
const running = 10;
const queue = 'asynq:{critical}';

/** SIGTERM to the sample under load: it ends in time, and what it could not finish is back at the head of the queue. */
export async function sigterm({ verdict, atEnd }: DrillContext): Promise<void> {
  const redis = await startOwnRedis();
  atEnd(() => redis.stop());
  const observer = new Redis(redis.url);
  atEnd(() => observer.disconnect());

  // Mails that take a minute: at the end of the shutdown time every handler still runs.
  const env = { ...process.env, REDIS_URL: redis.url, PORT: '0', MAIL_DELAY_MS: '60000', NO_COLOR: '1' };
  const sample = spawn(process.execPath, ['sample/01-email/dist/main.js'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  atEnd(() => sample.kill('SIGKILL'));
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) =>
    sample.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  const url = await signupUrl(sample.stdout);

  await Promise.all(Array.from({ length: users }, (_, index) => signUp(url, `user${index}@example.com`)));
  await until(async () => (await observer.llen(`${queue}:active`)) >= running - 1, 10_000);
  const active = await observer.lrange(`${queue}:active`, 0, -1);
  const records = await Promise.all(active.map((id) => observer.hgetBuffer(`${queue}:t:${id}`, 'msg')));
  verdict.tell('tasks running', active.length);

  sample.kill('SIGTERM');
  const start = performance.now();
  const how = await ended;
  const took = performance.now() - start;
  verdict.expect('the process ended after', {
    figure: `${(took / 1_000).toFixed(2)} s`,
    bound: 'shutdownTimeout + 1 s, 9 s',
    holds: took <= shutdownTimeoutMs + 1_000,
  });
  verdict.expect('it was ended by the signal, as Nest does', {
    figure: String(how),
    bound: 'SIGTERM',
    holds: how === 'SIGTERM',
  });

  const [left, leased, pending] = await Promise.all([
    observer.llen(`${queue}:active`),
    observer.zcard(`${queue}:lease`),
    observer.lrange(`${queue}:pending`, 0, -1),
  ]);
  verdict.expect('tasks still marked as running', { figure: left + leased, bound: 'none', holds: left + leased === 0 });
  // The right end runs next; the active list has the task that was taken last at its left.
  const head = pending.slice(-active.length);
  const inOrder = JSON.stringify(head) === JSON.stringify(active);
  verdict.expect('unfinished tasks at the head of the queue, oldest first', {
    figure: inOrder ? 'yes' : `${head.filter((id) => active.includes(id)).length} of ${active.length} at the head`,
    bound: 'yes',
    holds: inOrder,
  });
  const now = await Promise.all(active.map((id) => observer.hgetBuffer(`${queue}:t:${id}`, 'msg')));
  const unspent = records.every((record, index) => record !== null && record.equals(now[index] ?? Buffer.alloc(0)));
  verdict.expect('retries used up by them', { figure: unspent ? 'none' : 'some', bound: 'none', holds: unspent });
}

async function signupUrl(output: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: output });
  for await (const line of lines) {
    const url = /http:\/\/localhost:\d+\/signup/.exec(line)?.[0];
    if (url === undefined) continue;
    // The rest is read and thrown away, or the process would stop writing.
    output.resume();
    return url;
  }
  throw new Error('The sample did not start');
}

async function signUp(url: string, email: string): Promise<void> {
  const body = JSON.stringify({ email, name: 'Ada' });
  const { status } = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (status !== 202) throw new Error(`POST /signup answered ${status}`);
}
