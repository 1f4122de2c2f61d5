import { type ChildProcess, spawn } from 'node:child_process';
import { runGo } from '../support/go-program.js';
import { medianOf, percentileOf } from '../support/statistics.js';
import type { Request } from './orders.js';
import { queueName } from './subject.js';

/** Go's asynq, run by our program in bench/go; each order is a process of its own. */
export class GoSubject {
  readonly name = 'asynq-go';
  #servers: ChildProcess | undefined;

  constructor(readonly program: string) {}

  async measure(request: Request): Promise<readonly number[]> {
    const shared = ['-redis', request.redis, '-queue', queueName];
    switch (request.kind) {
      case 'enqueue': {
        const size = ['-n', String(request.tasks), '-callers', String(request.callers)];
        return rateIn(
          await runGo(this.program, ['enqueue', ...shared, ...size, '-payload', String(request.bytes ?? 120)]),
        );
      }
      case 'process': {
        const size = ['-n', String(request.tasks), '-concurrency', String(request.concurrency)];
        return rateIn(
          await runGo(this.program, ['process', ...shared, ...size, '-queues', String(request.queues ?? 1)]),
        );
      }
      case 'pickup': {
        const size = ['-n', String(request.tasks)];
        const idle = ['idle', ...shared, ...size, '-concurrency', '10'];
        const produce = ['pickup', ...shared, ...size, '-gap', `${request.gapMs}ms`];
        const lines = await runGo(this.program, idle, { onReady: () => runGo(this.program, produce) });
        const { millis } = lines.at(-1) as { millis: readonly number[] };
        return [medianOf(millis), percentileOf(millis, 0.99)];
      }
      case 'start': {
        const { workers, concurrency, queues = 1 } = request;
        const size = ['-servers', String(workers), '-queues', String(queues), '-concurrency', String(concurrency)];
        await this.#serve(['serve', ...shared, ...size]);
        return [];
      }
      case 'stop':
        await this.#stopServers();
        return [];
      case 'enqueue-many':
      case 'round-trip':
      case 'fill':
      case 'progress':
        throw new Error(`asynq-go has no ${request.kind}`);
    }
  }

  close(): void {
    this.#servers?.kill();
  }

  /** Starts servers; resolves when they run. */
  async #serve(args: readonly string[]): Promise<void> {
    const child = spawn(this.program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#servers = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', (status) => reject(new Error(`${this.program} serve ended with status ${status}`)));
    });
  }

  async #stopServers(): Promise<void> {
    const child = this.#servers;
    if (child === undefined) return;
    this.#servers = undefined;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.stdin?.end();
    await ended;
  }
}

function rateIn(lines: readonly object[]): readonly number[] {
  return [(lines.at(-1) as { perSecond: number }).perSecond];
}
