import { until } from '../../support/until.js';
import { GoProgram } from './go-program.js';

/** What a Go worker says it does, as it does it. */
export interface GoWorkerLine {
  readonly event: 'ready' | 'start' | 'end' | 'aggregate' | 'log' | 'stopped' | 'closed';
  readonly id?: string;
  readonly type?: string;
  readonly queue?: string;
  readonly payload?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly retried: number;
  readonly maxRetry: number;
  readonly deadline?: number;
  /** When the run began. */
  readonly at?: number;
  readonly error?: string;
  readonly group?: string;
  readonly members?: readonly string[];
  readonly text?: string;
}

export interface GoWorkerOptions {
  readonly queues: Readonly<Record<string, number>>;
  readonly concurrency?: number;
  /** Milliseconds between a failure and the retry. */
  readonly retryDelay?: number;
  /** Either of the two turns aggregation on; the grace in milliseconds, at least 1000. */
  readonly groupSize?: number;
  readonly groupGrace?: number;
  readonly shutdownTimeout?: number;
}

/** A Go worker in its own process; test/interop/go/serve.go tells what it does with which type. */
export class GoWorker {
  private constructor(private readonly program: GoProgram<GoWorkerLine>) {}

  static async start(options: GoWorkerOptions, url?: string): Promise<GoWorker> {
    const config = { concurrency: 10, retryDelay: 600_000, ...options };
    const worker = new GoWorker(await GoProgram.start('serve', { config, ...(url === undefined ? {} : { url }) }));
    await worker.program.waitFor('that its worker is ready', ({ event }) => event === 'ready');
    return worker;
  }

  get pid(): number {
    return this.program.pid;
  }

  /** Runs that began, oldest first. */
  get started(): readonly GoWorkerLine[] {
    return this.program.lines.filter(({ event }) => event === 'start');
  }

  /** Runs that ended, oldest first. */
  get ended(): readonly GoWorkerLine[] {
    return this.program.lines.filter(({ event }) => event === 'end');
  }

  get logs(): readonly string[] {
    return this.program.lines.flatMap(({ event, text }) => (event === 'log' ? [text ?? ''] : []));
  }

  /** Waits until a run of this task has begun. */
  async hasStarted(id: string): Promise<GoWorkerLine> {
    return await this.waitFor(`that ${id} has started`, (line) => line.event === 'start' && line.id === id);
  }

  /** Waits until a run of this task has ended. */
  async hasEnded(id: string): Promise<GoWorkerLine> {
    return await this.waitFor(`that ${id} has ended`, (line) => line.event === 'end' && line.id === id);
  }

  async hasEndedTimes(count: number): Promise<void> {
    await until(`Go has ended ${count} runs`, () => this.ended.length >= count, { within: '20s' });
  }

  async waitFor(description: string, fits: (line: GoWorkerLine) => boolean): Promise<GoWorkerLine> {
    return await this.program.waitFor(description, fits);
  }

  /** Stops fetching; what runs goes on. */
  async stop(): Promise<void> {
    this.program.send('stop');
    await this.waitFor('that its worker has stopped', ({ event }) => event === 'stopped');
  }

  /** Shuts down as a Go program does on SIGTERM. */
  async shutdown(): Promise<void> {
    this.program.send('shutdown');
    await this.program.exited();
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.program.kill();
  }
}
