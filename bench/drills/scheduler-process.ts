import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { FromScheduler, SchedulerSettings } from './scheduler-messages.js';

/** A scheduler in a process of its own, seen from the drill. */
export class SchedulerProcess {
  private constructor(
    private readonly child: ChildProcess,
    /** Milliseconds that registering and starting took. */
    readonly startMs: number,
  ) {}

  /** Starts the process and waits until it schedules. */
  static async start(settings: SchedulerSettings): Promise<SchedulerProcess> {
    const child = fork(join(import.meta.dirname, 'scheduler.js'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    // Too long for the command line when there are many specs.
    child.send(settings);
    const { startMs } = await next(child);
    return new SchedulerProcess(child, startMs);
  }

  /** Processor time used so far, in milliseconds. */
  async cpuMs(): Promise<number> {
    const answer = next(this.child);
    this.child.send('usage');
    return (await answer).cpuMicros / 1_000;
  }

  /** Stands still, as a machine that is suspended does. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
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
}

async function next(child: ChildProcess): Promise<FromScheduler> {
  return await new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`The scheduler ended with status ${code}`));
    child.once('exit', onExit);
    child.once('message', (message: FromScheduler) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}
