import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/** How a server that aggregates is started. */
export interface AggregatingSettings {
  readonly redis: string;
  readonly groupMaxSize: number;
  readonly groupConcurrency: number;
  /** How long its function takes. */
  readonly delayMs: number;
}

/** What the process tells. */
export type FromAggregatingServer =
  { readonly kind: 'ready' } | { readonly kind: 'aggregated'; readonly size: number } | { readonly kind: 'failed' };

/** A server that aggregates, in a process of its own, seen from the drill. */
export class AggregatingProcess {
  /** Members of the groups that it says it has aggregated. */
  members = 0;
  /** Aggregations that it says have failed. */
  failed = 0;

  private constructor(private readonly child: ChildProcess) {}

  /** Starts the process and waits until it aggregates. */
  static async start(settings: AggregatingSettings): Promise<AggregatingProcess> {
    const child = fork(join(import.meta.dirname, 'aggregating-server.js'), [JSON.stringify(settings)]);
    const server = new AggregatingProcess(child);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`The server ended with status ${code}`)));
      child.on('message', (message: FromAggregatingServer) => {
        if (message.kind === 'ready') resolve();
        else if (message.kind === 'aggregated') server.members += message.size;
        else server.failed += 1;
      });
    });
    return server;
  }

  /** Ends it with no chance to say good-bye. */
  kill(): void {
    this.child.kill('SIGKILL');
  }
}
