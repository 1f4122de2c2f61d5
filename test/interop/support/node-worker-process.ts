import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { sharedRedisUrl } from '../../support/redis-server.js';
import type { NodeWorkerOptions } from './node-worker.js';

/** A worker of ours in a process of its own, for tests that kill it. */
export interface NodeWorkerProcess {
  readonly pid: number;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

export async function startNodeWorkerProcess(options: NodeWorkerOptions): Promise<NodeWorkerProcess> {
  const script = [join(__dirname, 'run-typescript.cjs'), join(__dirname, 'node-worker-main.ts')];
  const child = spawn(process.execPath, [...script, sharedRedisUrl(), JSON.stringify(options)]);
  let complaints = '';
  child.stderr.on('data', (text: Buffer) => (complaints += text.toString()));
  const closed = once(child, 'close');
  const died = closed.then(([code]) => {
    throw new Error(`The worker ended with ${String(code)}: ${complaints}`);
  });
  await Promise.race([once(child.stdout, 'data'), died]);
  died.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
