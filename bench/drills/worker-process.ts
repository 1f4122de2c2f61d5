import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-messages.js';

type Usage = Extract<FromWorker, { kind: 'usage' }>;

/** A worker in a process of its own, seen from the drill. */
export class WorkerProcess {
  /** How often each task was handed to its handler. */
  readonly runs = new Map<string, number>();
  /** Milliseconds after its due time, for each task. */
  readonly lateness: number[] = [];
  /** Lines that the process has logged. */
  logLines = 0;

  private constructor(private readonly child: ChildProcess) {}

  /** Starts the process and waits until its handlers run. */
  static async start(
    settings: Partial<WorkerSettings> & Pick<WorkerSettings, 'redis' | 'handler'>,
  ): Promise<WorkerProcess> {
    const defaults = { concurrency: 100, queues: ['default'], types: ['drill'] };
    const child = fork(join(import.meta.dirname, 'worker.js'), [JSON.stringify({ ...defaults, ...settings })], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const worker = new WorkerProcess(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        worker.logLines += chunk.toString().split('\n').length - 1;
        if (process.env['DRILL_LOG'] !== undefined) process.stderr.write(chunk);
      });
    }
    child.on('message', (message: FromWorker) => worker.#hear(message));
    await worker.#next('ready');
    return worker;
  }

  /** Heap, processor time and tasks handled so far. */
  async usage(garbage: ToWorker['garbage'] = 'leave'): Promise<Usage> {
    const answer = this.#next('usage');
    this.child.send({ kind: 'usage', garbage } satisfies ToWorker);
    return (await answer) as Usage;
  }

  /** Ends it with no chance to say good-bye. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Ends it as an operator would; resolves when it has ended. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }

  #hear(message: FromWorker): void {
    if (message.kind !== 'tasks') return;
    for (const id of message.ids) this.runs.set(id, (this.runs.get(id) ?? 0) + 1);
    this.lateness.push(...message.lateness);
  }

  async #next(kind: FromWorker['kind']): Promise<FromWorker> {
    return await new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`The worker ended with status ${code}`));
      const onMessage = (message: FromWorker): void => {
        if (message.kind !== kind) return;
        this.child.off('message', onMessage);
        this.child.off('exit', onExit);
        resolve(message);
      };
      this.child.on('message', onMessage);
      this.child.once('exit', onExit);
    });
  }
}
